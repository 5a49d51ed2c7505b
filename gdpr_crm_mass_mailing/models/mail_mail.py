from odoo import models
from odoo.tools import split_every
from odoo.tools.mail import email_normalize_all

BATCH = 100


class MailMail(models.Model):
    _inherit = "mail.mail"

    # ------------------------------------------------------------
    # A no that came while the mail was waiting
    # ------------------------------------------------------------

    def _send(self, auto_commit=False, raise_exception=False, **kwargs):
        """Ask once more who may be written to, right before the mails leave.

        In batches, so that little time passes between the question and the sending.
        """
        testing = self.env.context.get("mailing_test_mail")
        if testing or not self.mailing_id:
            return super()._send(auto_commit, raise_exception, **kwargs)
        for batch in split_every(BATCH, self.ids):
            mails = self.browse(batch)._gdpr_leave_out()
            super(MailMail, mails)._send(auto_commit, raise_exception, **kwargs)
        return True

    def _gdpr_leave_out(self):
        """Cancel the mails to people who may not be written to any more.

        :return: the others, which know in their context whom they go to
        """
        left_out = self.browse()
        known = {}
        for mailing, mails in (
            self.filtered(lambda mail: mail.state == "outgoing" and mail.mailing_id)
            .grouped("mailing_id")
            .items()
        ):
            addresses = {mail: mail._gdpr_addresses() for mail in mails}
            obstacles, subjects = mailing._gdpr_obstacles(
                set().union(*addresses.values())
            )
            known |= subjects
            for mail, own in addresses.items():
                if reason := next((obstacles[a] for a in own if a in obstacles), None):
                    mail._gdpr_cancel(reason)
                    left_out += mail
        return (self - left_out).with_context(gdpr_mailing_subjects=known)

    def _gdpr_addresses(self):
        """Return the normalised addresses this mail goes to."""
        self.ensure_one()
        written = [self.email_to, self.email_cc, *self.recipient_ids.mapped("email")]
        return {
            address for text in written if text for address in email_normalize_all(text)
        }

    def _gdpr_cancel(self, reason):
        self.state = "cancel"
        self.mailing_trace_ids.write({"trace_status": "cancel", "failure_type": reason})

    # ------------------------------------------------------------
    # Tracking
    # ------------------------------------------------------------

    def _prepare_outgoing_body(self):
        """Take the tracking pixel out where opens may not be measured."""
        body = super()._prepare_outgoing_body()
        if body and self.mailing_id and not self.mailing_id._gdpr_allows_tracking():
            wrapper = type(body)
            pixel = f'<img src="{self._get_tracking_url()}"/>'
            body = body.replace(wrapper(pixel), wrapper(""))
        return body
