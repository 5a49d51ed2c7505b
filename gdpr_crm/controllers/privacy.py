from odoo import http
from odoo.http import content_disposition, request
from odoo.tools import email_normalize

# a page, not an error: who follows an old link shall read what to do
GONE = 410

MAX_MESSAGE = 5000


class PrivacyController(http.Controller):
    """Public pages: no account needed, and the same answer for known and unknown."""

    # ------------------------------------------------------------
    # Request form
    # ------------------------------------------------------------

    @http.route(
        "/privacy",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        sitemap=False,
    )
    def privacy(self, **_kwargs):
        """Show what a person can ask for, and the form to do so."""
        return self._render_form({})

    @http.route(
        "/privacy",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        sitemap=False,
    )
    def privacy_submit(self, **post):
        """Take a request in. Known or not, the person reads the same."""
        if post.get("website"):
            # a field that no person sees was filled in: a robot, thanked like all
            return self._render("gdpr_crm.privacy_thanks", {})
        values, errors = self._parse_request(post)
        if errors:
            return self._render_form(post, errors)
        # the visitor has no right on requests; what they send is parsed above
        request.env["gdpr.request"].sudo()._submit(values)
        return self._render("gdpr_crm.privacy_thanks", {})

    def _parse_request(self, post):
        """Return (values, errors by field) of a posted form."""
        env = request.env
        errors = {}
        email = email_normalize(str(post.get("email", ""))[:254])
        if not email:
            errors["email"] = env._("Write your e-mail address like name@example.com.")
        right = post.get("right")
        if right not in dict(env["gdpr.request"]._fields["right"].selection):
            errors["right"] = env._("Choose what you ask for.")
        message = str(post.get("message", "")).replace("\x00", "").strip()
        if len(message) > MAX_MESSAGE:
            errors["message"] = env._(
                "Please keep to %(count)s characters.", count=MAX_MESSAGE
            )
        values = {
            "right": right,
            "email": email,
            "channel": "public",
            "description": message,
            "company_id": env.company.id,
            "lang": env.lang or "en_US",
        }
        return values, errors

    def _render_form(self, post, errors=None):
        return self._render(
            "gdpr_crm.privacy_form",
            {
                "post": post,
                "errors": errors or {},
                "rights": request.env["gdpr.request"]
                ._fields["right"]
                ._description_selection(request.env),
            },
        )

    # ------------------------------------------------------------
    # Confirmation
    # ------------------------------------------------------------

    @http.route(
        "/privacy/confirm/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
    )
    def confirm(self, token, **_kwargs):
        """Show what is to be confirmed. Opening the link confirms nothing."""
        gdpr_request = request.env["gdpr.token"]._peek(token, "confirm")
        if not gdpr_request:
            return self._render_gone()
        return self._render_request(
            "gdpr_crm.privacy_confirm", gdpr_request, {"token": token}
        )

    @http.route(
        "/privacy/confirm/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def confirm_submit(self, token, **post):
        """Record the person's yes, once, or cancel at their wish."""
        gdpr_request = request.env["gdpr.token"]._redeem(token, "confirm")
        if gdpr_request and gdpr_request.state in ("draft", "waiting"):
            if post.get("decision") == "cancel":
                gdpr_request.action_cancel()
            else:
                gdpr_request._confirm(channel="email_link")
        # a double click reads what the first one did
        gdpr_request = gdpr_request or request.env["gdpr.token"]._spent(
            token, "confirm"
        )
        if not gdpr_request:
            return self._render_gone()
        return self._render_request("gdpr_crm.privacy_confirmed", gdpr_request, {})

    # ------------------------------------------------------------
    # Download
    # ------------------------------------------------------------

    @http.route(
        "/privacy/download/<string:token>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
    )
    def download(self, token, **_kwargs):
        """Show the download button: a mail scanner shall not use the link up."""
        gdpr_request = request.env["gdpr.token"]._peek(token, "download")
        if not gdpr_request or not gdpr_request.package:
            return self._render_gone()
        return self._render_request(
            "gdpr_crm.privacy_download", gdpr_request, {"token": token}
        )

    @http.route(
        "/privacy/download/<string:token>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def download_package(self, token, **_kwargs):
        """Hand the package over and log it."""
        gdpr_request = request.env["gdpr.token"]._redeem(token, "download")
        if not gdpr_request or not gdpr_request.package:
            return self._render_gone()
        return self._package_response(gdpr_request)

    def _package_response(self, gdpr_request):
        gdpr_request._log_download()
        stream = request.env["ir.binary"]._get_stream_from(gdpr_request, "package")
        response = stream.get_response(as_attachment=True, mimetype="application/zip")
        response.headers["Content-Disposition"] = content_disposition(
            gdpr_request.package_name
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    # ------------------------------------------------------------
    # Rendering
    # ------------------------------------------------------------

    def _render(self, template, values, status=200):
        values = {"page_name": "gdpr_public", **values}
        response = request.render(template, values, status=status)
        # a link's secret must leave the page neither by cache nor by referrer
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    def _render_request(self, template, gdpr_request, values):
        """Render in the language and for the company of the request."""
        request.update_context(lang=gdpr_request.lang)
        right = gdpr_request._fields["right"]._description_selection(request.env)
        return self._render(
            template,
            {
                "gdpr_request": gdpr_request.with_context(lang=gdpr_request.lang),
                "right_label": dict(right)[gdpr_request.right],
                "res_company": gdpr_request.company_id,
                **values,
            },
        )

    def _render_gone(self):
        return self._render("gdpr_crm.privacy_gone", {}, status=GONE)
