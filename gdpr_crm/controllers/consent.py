from odoo import http
from odoo.fields import Domain
from odoo.http import request

from ..models.gdpr_signup import RECEIPT_SCOPE
from ..models.gdpr_subject_outbound import PREFERENCES, UNSUBSCRIBE
from ..tools.addresses import shorten_ip
from .privacy import PrivacyController


class ConsentController(PrivacyController):
    """Double opt-in, preference centre and unsubscription: no account is needed."""

    # ------------------------------------------------------------
    # Double opt-in
    # ------------------------------------------------------------

    @http.route(
        "/privacy/consent/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def consent(self, token, **_kwargs):
        """Show what is to be confirmed. Opening the link confirms nothing."""
        signup = request.env["gdpr.token"]._peek(token, "consent")
        if not signup or signup.state != "pending":
            return self._render_gone()
        return self._render_for(
            signup.company_id,
            "gdpr_crm.consent_confirm",
            {"signup": signup, "token": token},
            lang=signup.lang,
        )

    @http.route(
        "/privacy/consent/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def consent_submit(self, token, **post):
        """Record the person's yes or no, once."""
        signup = request.env["gdpr.token"]._redeem(token, "consent")
        if signup and signup.state == "pending":
            if post.get("decision") == "decline":
                signup._decline()
            else:
                signup._confirm(evidence=self._evidence(signup.company_id))
        # a double click reads what the first one did
        signup = signup or request.env["gdpr.token"]._spent(token, "consent")
        if not signup:
            return self._render_gone()
        return self._render_for(
            signup.company_id,
            "gdpr_crm.consent_confirmed",
            {
                "signup": signup,
                "preference_url": signup.subject_id._preference_url(),
            },
            lang=signup.lang,
        )

    def _evidence(self, company):
        """Return what proves the click: no more than the company asked for."""
        if not company.gdpr_record_ip:
            return {}
        return {"ip": shorten_ip(request.httprequest.remote_addr)}

    @http.route(
        "/privacy/receipt/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def receipt(self, token, **_kwargs):
        """Tell whether a receipt is ours and the ledger still says the same."""
        events = request.env["gdpr.consent.event"]._check_receipt(RECEIPT_SCOPE, token)
        if events is None:
            return self._render_gone()
        return self._render("gdpr_crm.consent_receipt", {"events": events})

    # ------------------------------------------------------------
    # Preference centre
    # ------------------------------------------------------------

    @http.route(
        "/privacy/preferences/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def preferences(self, token, **_kwargs):
        """Show the person's choices, one for each purpose."""
        subject = self._signed_subject(PREFERENCES, token)
        if not subject:
            return self._render_gone()
        return self._render_preferences(subject, token)

    @http.route(
        "/privacy/preferences/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def preferences_submit(self, token, **post):
        """Record what changed."""
        subject = self._signed_subject(PREFERENCES, token)
        if not subject:
            return self._render_gone()
        if post.get("action") == "stop":
            subject._stop_everything(channel="email_link")
        elif post.get("action") == "allow":
            subject._withdraw_objection()
        else:
            decisions = {
                purpose: post.get(f"purpose_{purpose.id}")
                for purpose in self._choices(subject)
            }
            subject._decide(decisions, channel="email_link")
        return self._render_preferences(subject, token, saved=True)

    def _signed_subject(self, scope, token):
        """Return the person of a link, empty when it is forged or they were erased."""
        subject, _values = request.env["gdpr.subject"]._verify_signed(scope, token)
        return subject.filtered(lambda subject: not subject.erased_on)

    def _choices(self, subject):
        """Return the purposes that this person may say yes or no to."""
        companies = subject.company_id or request.env["res.company"].sudo().search([])
        return (
            request.env["gdpr.purpose"]
            .sudo()
            .search(
                Domain("lawful_basis", "in", ["consent", "legitimate_interest"])
                & Domain("company_id", "in", [False, *companies.ids])
            )
        )

    def _render_preferences(self, subject, token, saved=False):
        return self._render_for(
            subject.company_id or request.env.company,
            "gdpr_crm.preferences",
            {
                "subject": subject,
                "token": token,
                "saved": saved,
                "purposes": self._choices(subject),
                "consents": {c.purpose_id: c for c in subject.consent_ids},
            },
        )

    # ------------------------------------------------------------
    # Unsubscription
    # ------------------------------------------------------------

    def _unsubscribed(self, token):
        subject, values = request.env["gdpr.subject"]._verify_signed(UNSUBSCRIBE, token)
        purpose = request.env["gdpr.purpose"].sudo().browse(values).exists()
        if not (subject and len(purpose) == 1):
            return None
        return subject, purpose

    @http.route(
        "/privacy/unsubscribe/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def unsubscribe(self, token, **_kwargs):
        """Show the button: a mail scanner that opens links shall stop nothing."""
        found = self._unsubscribed(token)
        if not found:
            return self._render_gone()
        return self._render_unsubscribe("gdpr_crm.unsubscribe", *found, token)

    @http.route(
        "/privacy/unsubscribe/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
        csrf=False,  # RFC 8058: no cookie, no session; the token itself is the proof
        save_session=False,
    )
    def unsubscribe_submit(self, token, **_kwargs):
        """Stop the purpose at once, by the mail program's button or by ours."""
        found = self._unsubscribed(token)
        if not found:
            return self._render_gone()
        subject, purpose = found
        subject._unsubscribe(purpose)
        return self._render_unsubscribe("gdpr_crm.unsubscribed", *found, token)

    def _render_unsubscribe(self, template, subject, purpose, token):
        return self._render_for(
            purpose.company_id or subject.company_id or request.env.company,
            template,
            {
                "purpose": purpose,
                "token": token,
                "preference_url": not subject.erased_on and subject._preference_url(),
            },
        )

    # ------------------------------------------------------------
    # Rendering
    # ------------------------------------------------------------

    def _render_for(self, company, template, values, lang=None):
        if lang:
            request.update_context(lang=lang)
            values = {
                name: value.with_context(lang=lang)
                if hasattr(value, "with_context")
                else value
                for name, value in values.items()
            }
        return self._render(template, {"res_company": company.sudo(), **values})
