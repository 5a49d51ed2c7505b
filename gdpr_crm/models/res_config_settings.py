from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    gdpr_officer_id = fields.Many2one(
        related="company_id.gdpr_officer_id", readonly=False
    )
    gdpr_contact = fields.Char(related="company_id.gdpr_contact", readonly=False)
    gdpr_security_measures = fields.Text(
        related="company_id.gdpr_security_measures", readonly=False
    )
    gdpr_policy_url = fields.Char(related="company_id.gdpr_policy_url", readonly=False)
    gdpr_terms_url = fields.Char(related="company_id.gdpr_terms_url", readonly=False)
    gdpr_confirmation_days = fields.Integer(
        related="company_id.gdpr_confirmation_days", readonly=False
    )
    gdpr_download_days = fields.Integer(
        related="company_id.gdpr_download_days", readonly=False
    )
    gdpr_reminder_days = fields.Integer(
        related="company_id.gdpr_reminder_days", readonly=False
    )
    gdpr_signup_days = fields.Integer(
        related="company_id.gdpr_signup_days", readonly=False
    )
    gdpr_purge_days = fields.Integer(
        related="company_id.gdpr_purge_days", readonly=False
    )
    gdpr_record_ip = fields.Boolean(related="company_id.gdpr_record_ip", readonly=False)
    gdpr_audit_keep = fields.Integer(
        related="company_id.gdpr_audit_keep", readonly=False
    )
    gdpr_grace_days = fields.Integer(
        related="company_id.gdpr_grace_days", readonly=False
    )
