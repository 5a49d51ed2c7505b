from werkzeug.exceptions import Forbidden

from odoo import http
from odoo.http import content_disposition, request

from ..tools.spreadsheet import write_table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class RegisterController(http.Controller):
    """The record of processing activities as a file, for privacy officers."""

    @http.route(
        "/gdpr_crm/register.xlsx",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def register(self, ids="", **_kwargs):
        """Return the record of these purposes, of all when none is named."""
        env = request.env
        if not env.user.has_group("gdpr_crm.group_officer"):
            raise Forbidden
        wanted = [int(word) for word in ids.split(",") if word.isdigit()]
        domain = [("id", "in", wanted)] if wanted else []
        purposes = env["gdpr.purpose"].search(domain)
        headers, rows = purposes._register_rows()
        return request.make_response(
            write_table(env._("Record (Art. 30)"), headers, rows),
            [
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition("art30.xlsx")),
                ("X-Content-Type-Options", "nosniff"),
            ],
        )
