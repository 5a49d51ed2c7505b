from odoo import fields, models

from .mail_mail import NO_BASIS


class SmsSms(models.Model):
    _inherit = "sms.sms"

    failure_type = fields.Selection(
        selection_add=[(NO_BASIS, "No valid consent or other lawful basis")]
    )
