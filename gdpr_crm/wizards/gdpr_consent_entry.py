from odoo import api, fields, models
from odoo.exceptions import UserError


class GdprConsentEntry(models.TransientModel):
    """Staff record what a person told them about one purpose."""

    _name = "gdpr.consent.entry"
    _description = "Record a Consent Decision"

    subject_id = fields.Many2one("gdpr.subject", required=True, readonly=True)
    purpose_id = fields.Many2one(
        "gdpr.purpose",
        required=True,
        domain=[("lawful_basis", "in", ["consent", "legitimate_interest"])],
    )
    double_opt_in = fields.Boolean(related="purpose_id.double_opt_in")
    decision = fields.Selection(
        [("give", "Gives consent"), ("refuse", "Refuses"), ("withdraw", "Withdraws")],
        required=True,
        default="give",
    )
    channel = fields.Selection(
        [("phone", "Telephone"), ("paper", "Paper"), ("email", "E-mail to staff")],
        string="Told by",
        required=True,
        default="phone",
    )
    evidence = fields.Text(
        help="What proves it: when the call was, where the paper is kept…"
    )
    notice_id = fields.Many2one("gdpr.notice", compute="_compute_notice_id")

    @api.depends("purpose_id")
    def _compute_notice_id(self):
        for entry in self:
            entry.notice_id = entry.purpose_id and entry.purpose_id._current_notice(
                self.env.lang
            )

    def action_record(self):
        """Record the decision in the ledger."""
        self.ensure_one()
        self.subject_id.check_access("read")
        if self.decision == "give" and not (self.evidence or "").strip():
            raise UserError(
                self.env._("A consent needs proof: say when and how it was given.")
            )
        self.env["gdpr.consent"]._record(
            self.subject_id,
            self.purpose_id,
            self.decision,
            channel=self.channel,
            evidence={"note": self.evidence} if self.evidence else None,
            notice=self.notice_id,
        )
        return {"type": "ir.actions.act_window_close"}
