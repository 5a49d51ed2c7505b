from markupsafe import Markup

from odoo import fields, models, tools
from odoo.tools import email_normalize_all

from .gdpr_token import PLACEHOLDER

NO_BASIS = "gdpr_no_basis"


class MailMail(models.Model):
    _inherit = "mail.mail"

    gdpr_token_scope = fields.Char(
        readonly=True,
        help="The message carries a secret link, made while it is sent.",
    )
    gdpr_purpose_id = fields.Many2one(
        "gdpr.purpose",
        string="Processing Purpose",
        readonly=True,
        index="btree_not_null",
        help="What the message is sent for: who may not be written to for it is left "
        "out, and the others find the link to stop it.",
    )
    failure_type = fields.Selection(
        selection_add=[(NO_BASIS, "No valid consent or other lawful basis")]
    )

    # ------------------------------------------------------------
    # The gate, once more at the moment of sending
    # ------------------------------------------------------------

    def _send(self, *args, **kwargs):
        waiting = self.filtered(lambda mail: mail.state == "outgoing")
        closed = waiting._gdpr_not_contactable()
        closed._gdpr_cancel()
        return super(MailMail, self - closed)._send(*args, **kwargs)

    def _gdpr_emails(self):
        """Return every normalised address that this message would go to."""
        self.ensure_one()
        return set(
            email_normalize_all(self.email_to or "")
            + email_normalize_all(self.email_cc or "")
            + [
                email
                for partner in self.recipient_ids
                for email in email_normalize_all(partner.email or "")
            ]
        )

    def _gdpr_not_contactable(self):
        """Return the messages whose purpose doesn't reach all of their addresses.

        Somebody may have said no since the message was queued. One query a purpose.
        """
        closed = self.browse()
        Subject = self.env["gdpr.subject"]
        for purpose, mails in self.grouped("gdpr_purpose_id").items():
            if not purpose:
                continue
            emails = {mail: mail._gdpr_emails() for mail in mails}
            allowed = Subject._contactable_emails(
                set().union(*emails.values()), purpose
            )
            closed += mails.filtered(
                lambda mail, emails=emails, allowed=allowed: (
                    emails[mail] - allowed.keys()
                )
            )
        return closed

    def _gdpr_cancel(self):
        if not self:
            return
        self.write({"state": "cancel", "failure_type": NO_BASIS})
        self.env["mail.notification"].sudo().search(
            [("mail_mail_id", "in", self.ids)]
        ).write({"notification_status": "canceled", "failure_type": NO_BASIS})

    # ------------------------------------------------------------
    # Personal links
    # ------------------------------------------------------------

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Put the personal links into the outgoing message, and nowhere else."""
        results = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        if self.gdpr_token_scope:
            self._gdpr_insert_token(results)
        if self.gdpr_purpose_id:
            self._gdpr_add_unsubscribe(results)
        return results

    def _gdpr_insert_token(self, results):
        record = self.env[self.model].browse(self.res_id)
        for values in results:
            token = record._gdpr_issue_token(self.gdpr_token_scope)
            for key in ("body", "body_alternative"):
                values[key] = values[key].replace(PLACEHOLDER, token)

    def _gdpr_add_unsubscribe(self, results):
        """Add the link and the headers by which the person stops such messages."""
        purpose = self.gdpr_purpose_id
        subjects = self.env["gdpr.subject"]._contactable_emails(
            self._gdpr_emails(), purpose
        )
        for values in results:
            emails = email_normalize_all(",".join(values["email_to"]))
            subject = next((subjects[e] for e in emails if e in subjects), None)
            if not subject:
                continue
            # the recipients of one message share Odoo's dictionary of headers
            values["headers"] = values["headers"] | subject._list_unsubscribe_headers(
                purpose
            )
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
            values["body"] = tools.mail.append_content_to_html(
                values["body"], Markup(footer), plaintext=False
            )
            values["body_alternative"] = tools.html2plaintext(values["body"])
