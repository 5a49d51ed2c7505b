from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..models.mail_mail import NO_BASIS


class SmsComposer(models.TransientModel):
    """Texting many contacts or leads names a purpose, and asks the gate."""

    _inherit = "sms.composer"

    gdpr_purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="Processing Purpose",
        domain=[("channel", "in", ("sms", "any"))],
        help="What you write for. Who may not be written to for it is left out.",
    )
    gdpr_purpose_required = fields.Boolean(compute="_compute_gdpr_purpose_required")
    gdpr_excluded_count = fields.Integer(compute="_compute_gdpr_excluded_count")

    @api.depends("composition_mode", "res_model")
    def _compute_gdpr_purpose_required(self):
        for composer in self:
            composer.gdpr_purpose_required = (
                composer.composition_mode == "mass"
                and composer.res_model in self.env
                and hasattr(self.env[composer.res_model], "_gdpr_is_person")
            )

    @api.depends("gdpr_purpose_id", "gdpr_purpose_required", "res_ids")
    def _compute_gdpr_excluded_count(self):
        for composer in self:
            composer.gdpr_excluded_count = 0
            if composer.gdpr_purpose_required and composer.gdpr_purpose_id:
                records = self.env[composer.res_model].browse(
                    literal_eval(composer.res_ids or "[]")
                )
                composer.gdpr_excluded_count = len(
                    records - composer._gdpr_contactable(records)
                )

    def _gdpr_contactable(self, records):
        subjects = records.gdpr_subject_id._filter_contactable(self.gdpr_purpose_id)
        return records.filtered(lambda record: record.gdpr_subject_id in subjects)

    def _prepare_mass_sms_values(self, records):
        """Cancel the messages to who may not be written to for the purpose."""
        values_by_id = super()._prepare_mass_sms_values(records)
        if not self.gdpr_purpose_required:
            return values_by_id
        if self.gdpr_purpose_id.channel not in ("sms", "any"):
            raise UserError(
                self.env._(
                    "Choose a processing purpose for text messages: it decides who "
                    "may be written to (GDPR Art. 6)."
                )
            )
        for record in records - self._gdpr_contactable(records):
            if values_by_id[record.id]["state"] == "outgoing":
                values_by_id[record.id].update(state="canceled", failure_type=NO_BASIS)
        return values_by_id
