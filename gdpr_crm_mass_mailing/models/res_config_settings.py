from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    gdpr_mailing_purpose_id = fields.Many2one(
        related="company_id.gdpr_mailing_purpose_id", readonly=False
    )
