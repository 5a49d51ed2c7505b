from odoo import api, models
from odoo.exceptions import UserError
from odoo.http import request
from odoo.tools.mail import email_normalize_all

from odoo.addons.gdpr_crm.models.mail_mail import NO_BASIS


class MailComposeMessage(models.TransientModel):
    _inherit = "mail.compose.message"

    @api.depends("mass_mailing_id")
    def _compute_gdpr_purpose_required(self):
        """A mailing answers for its own purpose."""
        mailings = self.filtered("mass_mailing_id")
        mailings.gdpr_purpose_required = False
        return super(
            MailComposeMessage, self - mailings
        )._compute_gdpr_purpose_required()

    @api.onchange("mass_mailing_name")
    def _onchange_gdpr_purpose(self):
        if self.mass_mailing_name and not self.gdpr_purpose_id:
            self.gdpr_purpose_id = self.env.company.gdpr_mailing_purpose_id

    def _action_send_mail(self, auto_commit=False):
        """:raise UserError: when a user sends a mailing for nothing in particular"""
        for wizard in self.filtered("mass_mailing_name"):
            if request and not (wizard.gdpr_purpose_id or wizard.mass_mailing_id):
                raise UserError(
                    self.env._(
                        "Choose the purpose of this mailing: only people who may be "
                        "written to for it get it."
                    )
                )
        return super()._action_send_mail(auto_commit=auto_commit)

    def _prepare_mailing_values(self):
        values = super()._prepare_mailing_values()
        return values | {"gdpr_purpose_id": self.gdpr_purpose_id.id}

    def _prepare_mail_values_static(self):
        values = super()._prepare_mail_values_static()
        if self._is_mass_mailing():
            values.pop("gdpr_purpose_id", None)  # asked for a batch, not for each mail
        return values

    def _process_mail_values_state(self, mail_values_dict):
        """Leave out who may not be written to for the mailing's purpose.

        A few queries a batch, however many the recipients.
        """
        mail_values_dict = super()._process_mail_values_state(mail_values_dict)
        if not self._is_mass_mailing():
            return mail_values_dict
        sendable = {
            res_id: values
            for res_id, values in mail_values_dict.items()
            if values.get("state") not in ("cancel", "exception")
            or values.get("failure_type") == NO_BASIS
        }
        recipients = self._get_recipients_data(sendable)
        addresses = {
            res_id: {a for text in data["mail_to"] for a in email_normalize_all(text)}
            for res_id, data in recipients.items()
        }
        obstacles, _subjects = self.mass_mailing_id._gdpr_obstacles(
            set().union(*addresses.values())
        )
        for res_id, own in addresses.items():
            if reason := next((obstacles[a] for a in own if a in obstacles), None):
                sendable[res_id].update(
                    state="cancel", failure_type=reason, is_notification=False
                )
        return mail_values_dict
