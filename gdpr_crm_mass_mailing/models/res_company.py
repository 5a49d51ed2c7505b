from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    gdpr_mailing_purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="Purpose of Mailings",
        domain=[("channel", "in", ("email", "any"))],
        default=lambda self: self.env.ref(
            "gdpr_crm.purpose_newsletter", raise_if_not_found=False
        ),
        help="Proposed for a new mailing, and what a person says yes to who "
        "subscribes to a list without a purpose of its own.",
    )
