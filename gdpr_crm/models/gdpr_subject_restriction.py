from odoo import models
from odoo.exceptions import AccessError, UserError


class GdprSubject(models.Model):
    """Restriction of processing by an officer (GDPR Art. 18).

    Record rules keep everybody but privacy officers from changing the records.
    """

    _inherit = "gdpr.subject"

    def _check_officer(self):
        if not (self.env.su or self.env.user.has_group("gdpr_crm.group_officer")):
            raise AccessError(self.env._("Only a privacy officer may do this."))

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
