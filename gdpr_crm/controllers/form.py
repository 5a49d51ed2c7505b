from urllib.parse import urlsplit

from odoo import http
from odoo.http import request

from ..models.gdpr_form_page import GENERAL

MAX_BYTES = 256 * 1024  # the longest texts of a form take much less
FORBIDDEN, GONE = 403, 410


class FormController(http.Controller):
    """The public pages of collection forms, alone or inside another web site."""

    @http.route(
        "/privacy/form/<string:slug>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,  # a form has its own language
        sitemap=False,
    )
    def form(self, slug, **_kwargs):
        """Show a form."""
        return self._show(slug)

    @http.route(
        "/privacy/form/<string:slug>",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        multilang=False,
        sitemap=False,
        max_content_length=MAX_BYTES,
    )
    def form_submit(self, slug, **post):
        """Take in what a visitor sent."""
        return self._take_in(slug, post)

    @http.route(
        "/privacy/form/<string:slug>/embed",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        multilang=False,
        sitemap=False,
    )
    def form_embed(self, slug, **_kwargs):
        """Show a form inside another web site's page."""
        return self._show(slug, embed=True)

    @http.route(
        "/privacy/form/<string:slug>/embed",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
        multilang=False,
        sitemap=False,
        # inside another web site browsers send no cookie, so there is no session to
        # check against; the page's signed, expiring token is checked instead
        csrf=False,
        max_content_length=MAX_BYTES,
    )
    def form_embed_submit(self, slug, **post):
        """Take in what a visitor sent from another web site's page."""
        return self._take_in(slug, post, embed=True)

    # ------------------------------------------------------------
    # Steps
    # ------------------------------------------------------------

    def _find(self, slug):
        """Return the form of this address, empty when there is none to be seen."""
        form = request.env["gdpr.form"].sudo().search([("slug", "=", slug)], limit=1)
        return form if form.published_on or self._may_preview(form) else form.browse()

    def _may_preview(self, form):
        user = request.env.user
        return user.has_group("gdpr_crm.group_officer") and form.with_user(
            user
        ).has_access("read")

    def _show(self, slug, embed=False):
        form = self._find(slug)
        if not form:
            raise request.not_found()
        if form.state != "published" and not self._may_preview(form):
            return self._render("gdpr_crm.form_closed", form, embed, status=GONE)
        return self._render("gdpr_crm.form_page", form, embed)

    def _take_in(self, slug, post, embed=False):
        form = self._find(slug)
        if not form:
            raise request.not_found()
        if form.state != "published":
            return self._render("gdpr_crm.form_closed", form, embed, status=GONE)
        post = {name: value for name, value in post.items() if isinstance(value, str)}
        if not self._own_origin(form):
            error = form.with_context(lang=form._page_lang()).env._(
                "This form was sent from a web site that isn't ours. Nothing was "
                "taken in: please use the form on this page."
            )
            return self._render(
                "gdpr_crm.form_page", form, embed, post, {GENERAL: error}, FORBIDDEN
            )
        errors = form._submit(
            post,
            address=request.httprequest.remote_addr,
            page=request.httprequest.base_url[:500],
        )
        if errors:
            return self._render("gdpr_crm.form_page", form, embed, post, errors)
        return self._render("gdpr_crm.form_thanks", form, embed)

    def _own_origin(self, form):
        """Tell whether our own page was sent; browsers say where a POST comes from."""
        origin = request.httprequest.headers.get("Origin")
        if not origin:
            return True
        own = {request.httprequest.host, urlsplit(form.get_base_url()).netloc}
        return urlsplit(origin).netloc in own

    # ------------------------------------------------------------
    # Rendering
    # ------------------------------------------------------------

    def _render(self, template, form, embed, post=None, errors=None, status=200):
        """Render in the language and for the company of the form."""
        request.update_context(lang=form._page_lang())
        form = form.with_context(lang=form._page_lang())
        values = {
            "page_name": "gdpr_public",
            "res_company": form.company_id,
            "embed": embed,
            # without a host: who opened it under another name stays there
            "action": f"/privacy/form/{form.slug}{'/embed' if embed else ''}",
            "token": form._page_token(),
            "preview": form.state != "published",
            **form._page_values(post, errors),
        }
        response = request.render(template, values, status=status)
        response.headers["Cache-Control"] = "no-store"
        # "no-referrer" would make browsers hide the origin of the POST
        response.headers["Referrer-Policy"] = "same-origin"
        if embed:
            response.headers["X-Robots-Tag"] = "noindex"
            response.headers["Content-Security-Policy"] = (
                f"frame-ancestors {form._frame_ancestors()}"
            )
        else:
            response.headers["X-Frame-Options"] = "SAMEORIGIN"
            response.headers["Content-Security-Policy"] = "frame-ancestors 'self'"
        return response
