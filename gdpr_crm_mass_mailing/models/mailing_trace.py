from odoo import fields, models


class MailingTrace(models.Model):
    _inherit = "mailing.trace"

    failure_type = fields.Selection(
        selection_add=[
            ("gdpr_no_basis", "No valid consent or other lawful basis"),
            ("gdpr_pending", "Consent not confirmed yet"),
            ("gdpr_declined", "Consent refused or withdrawn"),
            ("gdpr_expired", "Consent expired"),
            ("gdpr_objected", "Objects to direct marketing"),
            ("gdpr_restricted", "Processing restricted"),
            ("gdpr_purpose", "Purpose archived or without balancing test"),
        ]
    )
