import base64
import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

_logger = logging.getLogger(__name__)

CERTIFICATE = "gdpr_crm.report_certificate_action"


class GdprRequest(models.Model):
    """The certificate of an erasure: what was done, what is kept, why, until when."""

    _inherit = "gdpr.request"

    certificate = fields.Binary(
        string="Certificate of Erasure",
        readonly=True,
        copy=False,
        attachment=True,
        groups="gdpr_crm.group_officer",
    )
    certificate_name = fields.Char(readonly=True, copy=False)

    def _send_certificate(self):
        """Make the certificate and send it, before the address is forgotten."""
        self.ensure_one()
        request_sudo = self.sudo().with_context(lang=self.lang)
        content, kind = request_sudo._render_certificate()
        title = request_sudo.env._("certificate")
        name = f"{title}-{self.name.replace('/', '-')}.{kind}"
        request_sudo.write(
            {"certificate": base64.b64encode(content), "certificate_name": name}
        )
        if not self.email:
            return
        # a copy: the mail's own file, which goes with the mail
        attachment = request_sudo.env["ir.attachment"].create(
            {"name": name, "raw": content, "res_model": "mail.message", "res_id": 0}
        )
        self._send("gdpr_crm.mail_template_erased", attachments=attachment)

    def _render_certificate(self):
        """Return (bytes, extension); HTML where no PDF can be made."""
        self.ensure_one()
        report = self.env["ir.actions.report"]
        try:
            return report._render_qweb_pdf(CERTIFICATE, self.ids)
        except (UserError, OSError) as error:
            _logger.warning("No PDF of an erasure certificate: %s", error)
            return report._render_qweb_html(CERTIFICATE, self.ids)

    def _certificate_lines(self):
        """Return what the certificate lists: dicts without anything personal.

        ``done``: label, count, action; ``kept``: label, count, ground, until;
        ``open``: label, count of what an officer still has to look at.
        """
        self.ensure_one()
        result = self.result or {}
        labels = {
            "deleted": self.env._("Deleted"),
            "anonymised": self.env._("Anonymised"),
            "detached": self.env._("Leads to an anonymous record"),
        }
        return {
            "done": [
                {"label": label, "count": count, "action": action}
                for part, action in labels.items()
                for label, count in sorted((result.get(part) or {}).items())
                if count
            ],
            "kept": [
                line | {"until": line.get("until") or ""}
                for line in result.get("kept") or []
            ],
            "open": [*(result.get("left") or []), *(result.get("undecided") or [])],
        }

    # ------------------------------------------------------------
    # The end of what was kept
    # ------------------------------------------------------------

    @api.model
    def _finish_kept(self, limit=200):
        """Blank what was kept for a time, once that is over."""
        lines = self.env["gdpr.plan.line"].search(
            [
                ("action", "=", "keep"),
                ("state", "=", "done"),
                ("finished_on", "=", False),
                ("until", "<=", fields.Date.context_today(self)),
            ],
            limit=limit,
        )
        for line in lines:
            line._finish_kept()


class GdprPlanLine(models.Model):
    _inherit = "gdpr.plan.line"

    def _finish_kept(self):
        """Take out of these rows what looks personal; their ground is over."""
        self.ensure_one()
        Map = self.env["gdpr.data.map"].sudo()
        # proofs of this addon hold no personal value any more
        if self.model in self.env and not self.model.startswith("gdpr."):
            model = self.env[self.model]
            columns = [
                (name, model._fields[name].required)
                for name, kind in Map._identifying(model)
                if model._fields[name].column_type[0] in ("varchar", "text")
            ]
            if columns:
                self.env.cr.execute(
                    SQL(
                        "UPDATE %s SET %s WHERE id = ANY(%s)",
                        SQL.identifier(model._table),
                        SQL(", ").join(
                            SQL("%s = %s", SQL.identifier(n), "[…]" if needed else None)
                            for n, needed in columns
                        ),
                        list(self.record_ids or []),
                    )
                )
                model.invalidate_model()
        self.write(
            {"finished_on": fields.Date.context_today(self), "record_ids": False}
        )
        if self.keeps_identity:
            self._forget_kept_name()

    def _forget_kept_name(self):
        """Blank the contact that kept its name for documents, with the last of them."""
        subject = self.request_id.subject_id
        others = self.search_count(
            [
                ("request_id.subject_id", "=", subject.id),
                ("keeps_identity", "=", True),
                ("action", "=", "keep"),
                ("finished_on", "=", False),
            ],
            limit=1,
        )
        if not others:
            partners = subject.with_context(active_test=False).partner_ids
            self.env["gdpr.data.map"].sudo()._forget_postal_identity(partners)
