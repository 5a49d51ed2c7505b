from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    gdpr_officer_id = fields.Many2one(
        "res.users", string="Privacy Officer", help="Answers requests by default."
    )
    gdpr_policy_url = fields.Char(string="Privacy Policy")
    gdpr_terms_url = fields.Char(string="Terms")
    gdpr_confirmation_days = fields.Integer(
        string="Confirmation Link Valid (days)", default=7, required=True
    )
    gdpr_download_days = fields.Integer(
        string="Download Link Valid (days)", default=7, required=True
    )
    gdpr_reminder_days = fields.Integer(
        string="Remind the Person after (days)", default=3, required=True
    )

    _gdpr_days_positive = models.Constraint(
        "CHECK(gdpr_confirmation_days > 0 AND gdpr_download_days > 0 "
        "AND gdpr_reminder_days > 0)",
        "The privacy periods are counted in days, at least one.",
    )
