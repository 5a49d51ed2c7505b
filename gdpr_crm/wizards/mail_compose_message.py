from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.mail_mail import NO_BASIS


class MailComposeMessage(models.TransientModel):
    """Writing to many contacts or leads names a purpose, and asks the gate."""

    _inherit = "mail.compose.message"

    gdpr_purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="Processing Purpose",
        domain=[("channel", "in", ("email", "any"))],
        help="What you write for. Who may not be written to for it is left out.",
    )
    gdpr_purpose_required = fields.Boolean(compute="_compute_gdpr_purpose_required")
    gdpr_excluded_count = fields.Integer(compute="_compute_gdpr_excluded_count")
    gdpr_recipient_count = fields.Integer(compute="_compute_gdpr_excluded_count")

    @api.depends("composition_mode", "model")
    def _compute_gdpr_purpose_required(self):
        for composer in self:
            composer.gdpr_purpose_required = (
                composer.composition_mode == "mass_mail" and composer._gdpr_is_persons()
            )

    @api.depends("gdpr_purpose_id", "gdpr_purpose_required", "res_ids", "res_domain")
    def _compute_gdpr_excluded_count(self):
        for composer in self:
            composer.gdpr_recipient_count = composer.gdpr_excluded_count = 0
            if not (composer.gdpr_purpose_required and composer.gdpr_purpose_id):
                continue
            records = self.env[composer.model].browse(composer._gdpr_res_ids())
            subjects = records.gdpr_subject_id
            allowed = subjects._filter_contactable(composer.gdpr_purpose_id)
            contactable = records.filtered(lambda r, a=allowed: r.gdpr_subject_id in a)
            composer.gdpr_recipient_count = len(records)
            composer.gdpr_excluded_count = len(records - contactable)

    def _gdpr_is_persons(self):
        self.ensure_one()
        return self.model in self.env and hasattr(
            self.env[self.model], "_gdpr_is_person"
        )

    def _gdpr_res_ids(self):
        if self.res_domain:
            return self.env[self.model].search(self._evaluate_res_domain()).ids
        return self._evaluate_res_ids()

    def _action_send_mail_mass_mail(self, res_ids, auto_commit=False):
        channel = self.gdpr_purpose_id.channel
        if self.gdpr_purpose_required and channel not in ("email", "any"):
            raise UserError(
                self.env._(
                    "Choose a processing purpose for e-mail: it decides who "
                    "may be written to (GDPR Art. 6)."
                )
            )
        return super()._action_send_mail_mass_mail(res_ids, auto_commit=auto_commit)

    def _prepare_mail_values_static(self):
        values = super()._prepare_mail_values_static()
        if self.composition_mode == "mass_mail" and self.gdpr_purpose_id:
            values["gdpr_purpose_id"] = self.gdpr_purpose_id.id
        return values

    def _process_mail_values_state(self, mail_values_dict):
        """Cancel the messages to who may not be written to for the purpose."""
        values_by_id = super()._process_mail_values_state(mail_values_dict)
        if not self.gdpr_purpose_id:
            return values_by_id
        recipients = self._get_recipients_data(values_by_id)
        emails = {
            email
            for info in recipients.values()
            for email in info["mail_to_normalized"]
        }
        allowed = self.env["gdpr.subject"]._contactable_emails(
            emails, self.gdpr_purpose_id
        )
        for record_id, values in values_by_id.items():
            own = recipients[record_id]["mail_to_normalized"]
            if not values.get("state") and not all(email in allowed for email in own):
                values.update(
                    state="cancel", failure_type=NO_BASIS, is_notification=False
                )
        return values_by_id
