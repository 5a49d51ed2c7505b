from odoo import fields, models
from odoo.exceptions import UserError


class GdprExtension(models.TransientModel):
    """Extend the legal period of a request, with reasons (GDPR Art. 12(3))."""

    _name = "gdpr.extension"
    _description = "Extend the Period"

    request_id = fields.Many2one("gdpr.request", required=True, readonly=True)
    months = fields.Selection(
        [("1", "One month"), ("2", "Two months")], required=True, default="2"
    )
    reason = fields.Text(
        required=True, help="The person reads it: complexity or number of requests."
    )

    def action_extend(self):
        """Extend, and tell the person."""
        self.ensure_one()
        self.request_id._extend(int(self.months), self.reason)
        return {"type": "ir.actions.act_window_close"}


class GdprIdentity(models.TransientModel):
    """Ask for a proof of identity on a recorded doubt (GDPR Art. 12(6))."""

    _name = "gdpr.identity"
    _description = "Ask for a Proof of Identity"

    request_id = fields.Many2one("gdpr.request", required=True, readonly=True)
    doubt = fields.Text(
        required=True, help="Why the usual evidence isn't enough; kept as evidence."
    )

    def action_ask(self):
        """Record the doubt and write to the person."""
        self.ensure_one()
        self.request_id._ask_identity(self.doubt)
        return {"type": "ir.actions.act_window_close"}


class GdprLegalHold(models.TransientModel):
    """Keep a person's data for legal claims (GDPR Art. 17(3)(e))."""

    _name = "gdpr.legal.hold"
    _description = "Legal Hold"

    subject_ids = fields.Many2many("gdpr.subject", required=True)
    reason = fields.Text(required=True, help="Which claim, and since when.")

    def action_hold(self):
        """Put the hold on these persons."""
        self.ensure_one()
        self.subject_ids.check_access("read")
        if not (self.reason or "").strip():
            raise UserError(self.env._("State the reason in a few words."))
        # no user writes on data subjects
        self.subject_ids.sudo().write(
            {"legal_hold": True, "legal_hold_reason": self.reason}
        )
        return {"type": "ir.actions.act_window_close"}
