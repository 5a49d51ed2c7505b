from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal

from ..models.gdpr_request_line import RECTIFIABLE
from .privacy import MAX_MESSAGE, PrivacyController


class PrivacyPortal(CustomerPortal):
    """/my/privacy: consents and requests of the person who is signed in.

    Everything is read and written as superuser, and only ever through
    :meth:`_own_subject` and :meth:`_own_request`.
    """

    def _own_subject(self):
        return request.env["gdpr.subject"].sudo()._of_user(request.env.user)

    def _own_requests(self):
        return (
            request.env["gdpr.request"]
            .sudo()
            .search([("partner_id", "=", request.env.user.partner_id.id)])
        )

    def _own_request(self, request_id):
        return self._own_requests().filtered(lambda r: r.id == request_id)

    def _unverified_message(self):
        return request.env._(
            "The e-mail address of your account isn't the one you sign in with, so we "
            "can't be sure that it is yours. Use the public page /privacy: a link is "
            "sent to the address itself."
        )

    # ------------------------------------------------------------
    # Overview
    # ------------------------------------------------------------

    @http.route(
        "/my/privacy",
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def my_privacy(self, **_kwargs):
        """Show the person's consents and requests."""
        return self._render_privacy()

    def _render_privacy(self, error=None, post=None):
        env = request.env
        subject = self._own_subject()
        consents = {c.purpose_id: c for c in subject.consent_ids}
        return request.render(
            "gdpr_crm.portal_my_privacy",
            {
                "page_name": "gdpr_privacy",
                "subject": subject,
                "purposes": self._choices(),
                "consents": consents,
                "requests": self._own_requests(),
                "rights": env["gdpr.request"]
                ._fields["right"]
                ._description_selection(env),
                "fields": env["gdpr.request.line"]
                ._fields["field_name"]
                ._description_selection(env),
                "error": error,
                "post": post or {},
            },
        )

    def _choices(self):
        """Return the purposes that a person may say yes or no to."""
        return (
            request.env["gdpr.purpose"]
            .sudo()
            .search(
                [
                    ("lawful_basis", "in", ["consent", "legitimate_interest"]),
                    ("company_id", "in", [False, request.env.company.id]),
                ]
            )
        )

    # ------------------------------------------------------------
    # Consents
    # ------------------------------------------------------------

    @http.route(
        "/my/privacy/consent",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def my_consent(self, purpose_id=None, decision=None, **_kwargs):
        """Record a yes or a no for one purpose."""
        purpose = self._choices().filtered(lambda p: str(p.id) == purpose_id)
        subject = self._own_subject()
        if not subject:
            return self._render_privacy(error=self._unverified_message())
        if not (purpose and decision in ("give", "withdraw")):
            return self._render_privacy(
                error=request.env._("This choice doesn't exist any more.")
            )
        notice = purpose._current_notice(request.env.lang)
        request.env["gdpr.consent"]._record(
            subject,
            purpose,
            decision,
            channel="portal",
            evidence={"user": request.env.uid},
            notice=notice,
        )
        return request.redirect("/my/privacy#consents")

    @http.route(
        "/my/privacy/withdraw_all",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def my_withdraw_all(self, **_kwargs):
        """Withdraw every consent and object to direct marketing."""
        subject = self._own_subject()
        if not subject:
            return self._render_privacy(error=self._unverified_message())
        subject._stop_everything(channel="portal")
        return request.redirect("/my/privacy#consents")

    # ------------------------------------------------------------
    # Requests
    # ------------------------------------------------------------

    @http.route(
        "/my/privacy/request",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def my_request_submit(self, **post):
        """Take a request of the signed-in person in."""
        values, error = self._parse_request(post)
        if error:
            return self._render_privacy(error=error, post=post)
        gdpr_request = request.env["gdpr.request"].sudo()._submit(values)
        return request.redirect(f"/my/privacy/request/{gdpr_request.id}")

    def _parse_request(self, post):
        env = request.env
        partner = env.user.partner_id
        right = post.get("right")
        if right not in dict(env["gdpr.request"]._fields["right"].selection):
            return {}, env._("Choose what you ask for.")
        if not partner.email_normalized:
            return {}, env._(
                "Your account has no valid e-mail address: correct it first."
            )
        subject = self._own_subject()
        if not subject:
            return {}, self._unverified_message()
        lines = [
            (0, 0, {"field_name": name, "new_value": wanted[:200]})
            for name in RECTIFIABLE
            if (wanted := str(post.get(f"new_{name}", "")).strip())
        ]
        if right == "rectification" and not lines:
            return {}, env._("Fill in at least one value to correct.")
        values = {
            "right": right,
            "email": partner.email_normalized,
            "subject_id": subject.id,
            "partner_id": partner.id,
            "channel": "portal",
            "description": str(post.get("message", "")).replace("\x00", "")[
                :MAX_MESSAGE
            ],
            "company_id": env.company.id,
            "lang": env.lang or "en_US",
        }
        if right == "rectification":
            values["line_ids"] = lines
        return values, None

    @http.route(
        "/my/privacy/request/<int:request_id>",
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
    )
    def my_request(self, request_id, **_kwargs):
        """Follow one's own request."""
        gdpr_request = self._own_request(request_id)
        if not gdpr_request:
            raise request.not_found()
        right = gdpr_request._fields["right"]._description_selection(request.env)
        state = gdpr_request._fields["state"]._description_selection(request.env)
        return request.render(
            "gdpr_crm.portal_my_request",
            {
                "page_name": "gdpr_request",
                "gdpr_request": gdpr_request,
                "right_label": dict(right)[gdpr_request.right],
                "state_label": dict(state)[gdpr_request.state],
            },
        )

    @http.route(
        "/my/privacy/request/<int:request_id>/cancel",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def my_request_cancel(self, request_id, **_kwargs):
        """Cancel one's own request while it isn't carried out."""
        gdpr_request = self._own_request(request_id)
        if not gdpr_request:
            raise request.not_found()
        try:
            gdpr_request.action_cancel()
        except UserError as error:
            return self._render_privacy(error=str(error))
        return request.redirect(f"/my/privacy/request/{request_id}")

    @http.route(
        "/my/privacy/request/<int:request_id>/download",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def my_request_download(self, request_id, **_kwargs):
        """Hand the package over to the person who is signed in."""
        gdpr_request = self._own_request(request_id)
        if not gdpr_request or not gdpr_request._may_download(request.env.user):
            raise request.not_found()
        return PrivacyController()._package_response(gdpr_request)
