from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError


class GdprNoticeChange(models.TransientModel):
    """A new wording is published: do consents to the earlier one still stand?"""

    _name = "gdpr.notice.change"
    _description = "Publish a New Notice Version"

    notice_id = fields.Many2one("gdpr.notice", required=True, readonly=True)
    consent_count = fields.Integer(compute="_compute_consent_count")
    change = fields.Selection(
        [
            ("minor", "No: the consents still stand"),
            ("material", "Yes: the consents must be renewed"),
        ],
        string="Does the Meaning Change?",
        required=True,
    )
    reason = fields.Text(required=True, help="Kept with the notice as evidence.")
    renew_by = fields.Date(
        default=lambda self: fields.Date.context_today(self) + relativedelta(months=1),
        help="Consents to the earlier wording end on this day.",
    )

    @api.depends("notice_id")
    def _compute_consent_count(self):
        for wizard in self:
            wizard.consent_count = len(wizard.notice_id._earlier_consents())

    def action_publish(self):
        """Publish the notice and record the decision."""
        self.ensure_one()
        self.notice_id.check_access("write")
        if not (self.reason or "").strip():
            raise UserError(self.env._("State the reason in a few words."))
        if self.change == "material" and not self.renew_by:
            raise UserError(self.env._("Say until when the consents must be renewed."))
        self.notice_id._publish(self.change, self.reason, self.renew_by)
        return {"type": "ir.actions.act_window_close"}
