from odoo import fields, models
from odoo.exceptions import AccessError, UserError


class GdprSubject(models.Model):
    """Restriction of processing by an officer (GDPR Art. 18).

    Record rules keep everybody but privacy officers from changing the records.
    """

    _inherit = "gdpr.subject"

    legal_hold = fields.Boolean(
        readonly=True,
        help="Kept for legal claims: neither an erasure nor the end of the retention "
        "period deletes anything (GDPR Art. 17(3)(e)).",
    )
    legal_hold_reason = fields.Text(
        readonly=True, groups="gdpr_crm.group_officer", help="Which claim."
    )

    def _check_officer(self):
        if not (self.env.su or self.env.user.has_group("gdpr_crm.group_officer")):
            raise AccessError(self.env._("Only a privacy officer may do this."))

    def action_open_hold(self):
        """Open the wizard that says why a person's data are kept for legal claims."""
        return {
            "type": "ir.actions.act_window",
            "res_model": "gdpr.legal.hold",
            "name": self.env._("Legal Hold"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_subject_ids": self.ids},
        }

    def action_release_hold(self):
        """End the legal hold."""
        self._check_officer()
        self.sudo().write({"legal_hold": False, "legal_hold_reason": False})

    def action_restrict(self):
        """Restrict the processing of these persons' data."""
        self._check_officer()
        self._restrict()

    def action_lift_restriction(self):
        """Tell the persons, then lift the restriction (GDPR Art. 18(3))."""
        self._check_officer()
        for subject in self.filtered("restricted"):
            if not subject.email:
                raise UserError(
                    self.env._(
                        "The person must be told before the restriction is lifted, "
                        "and no e-mail address is known: record in a request how you "
                        "told them."
                    )
                )
            template = self.env.ref("gdpr_crm.mail_template_restriction_lifted")
            template.sudo().send_mail(
                subject.id,
                email_values={
                    "email_to": subject.email,
                    "recipient_ids": [],
                    "auto_delete": True,
                },
            )
        self.env.ref("mail.ir_cron_mail_scheduler_action").sudo()._trigger()
        self._lift_restriction()
