from odoo import fields, models


class GdprPurpose(models.Model):
    _inherit = "gdpr.purpose"

    mailing_tracking = fields.Boolean(
        string="Measure Opens and Clicks",
        tracking=True,
        help="Mailings for this purpose carry a tracking pixel and tracked links. "
        "The notice has to say so.",
    )
    mailing_list_ids = fields.One2many(
        "mailing.list", "gdpr_purpose_id", string="Mailing Lists", readonly=True
    )

    def _mailing_is_closed(self):
        """Tell whether nobody at all can be written to for this purpose."""
        self.ensure_one()
        untested = (
            self.lawful_basis == "legitimate_interest"
            and not (self.balancing_test or "").strip()
        )
        return not self.active or untested
