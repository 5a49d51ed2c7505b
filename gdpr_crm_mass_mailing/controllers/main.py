from odoo.http import request, route

from odoo.addons.mass_mailing.controllers import main

from ..person import PersonAct


class MassMailController(main.MassMailController):
    """What a person does on these pages is recorded as theirs."""

    def _gdpr_person_act(self, hash_token):
        """Return by which channel whoever uses the page acts.

        The token of a mail proves the address; an account proves it when nobody else
        can have typed it there.
        """
        path = request.httprequest.path
        if path.endswith("/unsubscribe_oneclick"):
            channel = "one_click"
        elif hash_token:
            channel = "email_link"
        else:
            user = request.env.user
            certain = request.env["gdpr.subject"].sudo()._of_user(user)
            channel = "portal" if certain.email else "form"
        return PersonAct(channel, {"page": path})

    def _gdpr_act(self, hash_token):
        request.update_context(gdpr_act=self._gdpr_person_act(hash_token))

    def _mailing_unsubscribe_from_list(self, mailing, document_id, email, hash_token):
        self._gdpr_act(hash_token)
        mailing = mailing.with_context(gdpr_act=request.env.context["gdpr_act"])
        return super()._mailing_unsubscribe_from_list(
            mailing, document_id, email, hash_token
        )

    def _mailing_unsubscribe_from_document(
        self, mailing, document_id, email, hash_token
    ):
        self._gdpr_act(hash_token)
        return super()._mailing_unsubscribe_from_document(
            mailing, document_id, email, hash_token
        )

    # Odoo's routes check the token themselves: without a valid one nothing is
    # written, so the act may be stated before

    @route()
    def mailing_update_list_subscription(
        self,
        mailing_id=None,
        document_id=None,
        email=None,
        hash_token=None,
        lists_optin_ids=None,
        **post,
    ):
        self._gdpr_act(hash_token)
        return super().mailing_update_list_subscription(
            mailing_id=mailing_id,
            document_id=document_id,
            email=email,
            hash_token=hash_token,
            lists_optin_ids=lists_optin_ids,
            **post,
        )

    @route()
    def mail_blocklist_add(
        self, mailing_id=None, document_id=None, email=None, hash_token=None
    ):
        self._gdpr_act(hash_token)
        return super().mail_blocklist_add(
            mailing_id=mailing_id,
            document_id=document_id,
            email=email,
            hash_token=hash_token,
        )

    @route()
    def mail_blocklist_remove(
        self, mailing_id=None, document_id=None, email=None, hash_token=None
    ):
        self._gdpr_act(hash_token)
        return super().mail_blocklist_remove(
            mailing_id=mailing_id,
            document_id=document_id,
            email=email,
            hash_token=hash_token,
        )
