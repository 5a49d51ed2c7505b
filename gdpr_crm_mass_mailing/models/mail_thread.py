from odoo import api, models

from ..person import NOT_THE_PERSON


class MailThread(models.AbstractModel):
    _inherit = "mail.thread"

    @api.model
    def _routing_handle_bounce(self, email_message, message_dict):
        # an address that bounces is blacklisted, but nobody objected
        return super(
            MailThread, self.with_context(gdpr_act=NOT_THE_PERSON)
        )._routing_handle_bounce(email_message, message_dict)
