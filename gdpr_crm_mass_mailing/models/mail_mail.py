from odoo import models
from odoo.tools import html2plaintext, split_every
from odoo.tools.mail import append_content_to_html

BATCH = 100
PREFERENCES = "/privacy/preferences/"


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
            addresses = {mail: mail._gdpr_emails() for mail in mails}
            obstacles, subjects = mailing._gdpr_obstacles(
                set().union(*addresses.values())
            )
            known |= subjects
            for mail, own in addresses.items():
                if reason := next((obstacles[a] for a in own if a in obstacles), None):
                    mail._gdpr_cancel_for(reason)
                    left_out += mail
        return (self - left_out).with_context(gdpr_mailing_subjects=known)

    def _gdpr_cancel_for(self, reason):
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

    # ------------------------------------------------------------
    # The way out
    # ------------------------------------------------------------

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Add the person's links where the author of the mailing left them out."""
        results = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        known = self.env.context.get("gdpr_mailing_subjects")
        purpose = self.mailing_id.sudo().gdpr_purpose_id
        if not (known and purpose):
            return results
        for values in results:
            email = next(iter(values["email_to_normalized"]), None)
            subject = known.get(email)
            if not subject or PREFERENCES in values["body"]:
                continue
            lang = subject._get_lang()
            footer = self.env["ir.qweb"]._render(
                "gdpr_crm.mail_footer",
                {
                    "purpose": purpose.with_context(lang=lang),
                    "unsubscribe_url": subject._unsubscribe_url(purpose),
                    "preference_url": subject._preference_url(purpose),
                },
                lang=lang,
            )
            values["body"] = append_content_to_html(
                values["body"], footer, plaintext=False
            )
            values["body_alternative"] = html2plaintext(values["body"])
        return results
