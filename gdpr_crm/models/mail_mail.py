from odoo import fields, models

from .gdpr_token import PLACEHOLDER


class MailMail(models.Model):
    _inherit = "mail.mail"

    gdpr_token_scope = fields.Char(
        readonly=True,
        help="The message carries a secret link, made while it is sent.",
    )

    def _prepare_outgoing_list(self, mail_server=False, doc_to_followers=None):
        """Put the secret link into the outgoing message, and nowhere else."""
        results = super()._prepare_outgoing_list(
            mail_server=mail_server, doc_to_followers=doc_to_followers
        )
        if not self.gdpr_token_scope:
            return results
        record = self.env[self.model].browse(self.res_id)
        for values in results:
            token = record._gdpr_issue_token(self.gdpr_token_scope)
            for key in ("body", "body_alternative"):
                values[key] = values[key].replace(PLACEHOLDER, token)
        return results
