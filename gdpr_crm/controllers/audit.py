from odoo import http
from odoo.http import content_disposition, request

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class AuditController(http.Controller):
    """Download of an audit's figures, for who may read the audit."""

    @http.route(
        "/gdpr_crm/audit/<int:audit_id>/xlsx",
        type="http",
        auth="user",
        methods=["GET"],
        readonly=True,
    )
    def xlsx(self, audit_id, **_kwargs):
        """Return the audit as a spreadsheet."""
        # a foreign or unknown audit is not found, without telling which
        audit = request.env["gdpr.audit"].search([("id", "=", audit_id)])
        if not audit:
            raise request.not_found()
        name = f"{audit.display_name}.xlsx"
        return request.make_response(
            audit._xlsx(),
            headers=[
                ("Content-Type", XLSX),
                ("Content-Disposition", content_disposition(name)),
                ("Cache-Control", "no-store"),
            ],
        )
