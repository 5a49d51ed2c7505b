from odoo import fields, models

from ..tools.spreadsheet import Column, Sheet, write_sheets
from .gdpr_audit_line import BASIS


class GdprAudit(models.Model):
    """An audit on paper and in a spreadsheet: figures only, no person is named."""

    _inherit = "gdpr.audit"

    def _coverage(self):
        """Return the purposes with their figures, for a table.

        :return: list of dicts: ``name``, ``total``, ``counts`` (situation → persons)
            and ``share`` (of those with a valid basis)
        """
        self.ensure_one()
        rows = {}
        for line in self.basis_line_ids:
            row = rows.setdefault(
                line.purpose_id.id or line.purpose_name,
                {"name": line.purpose_name, "total": 0, "counts": {}},
            )
            row["total"] += line.count
            row["counts"][line.category] = line.count
        for row in rows.values():
            valid = row["counts"].get("valid", 0)
            row["share"] = valid / row["total"] if row["total"] else 0
        return list(rows.values())

    def _situations(self):
        """Return (situation, label) of the lawful-basis table's columns."""
        labels = dict(
            self.env["gdpr.audit.line"]
            ._fields["category"]
            ._description_selection(self.env)
        )
        return [(category, labels[category]) for category, _label in BASIS]

    def _day(self):
        self.ensure_one()
        return fields.Datetime.context_timestamp(self, self.date).date()

    # ------------------------------------------------------------
    # XLSX
    # ------------------------------------------------------------

    def action_xlsx(self):
        """Download the figures as a spreadsheet."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/gdpr_crm/audit/{self.id}/xlsx",
            "target": "download",
        }

    def _xlsx(self):
        """Return the audit's figures as an XLSX file."""
        self.ensure_one()
        _t = self.env._
        count, share = ("number", 12), ("percent", 10)
        situations = self._situations()
        return write_sheets(
            [
                Sheet(
                    _t("Lawful Bases"),
                    [
                        Column(_t("Purpose"), width=40),
                        Column(_t("Persons"), *count),
                        Column(_t("Covered"), *share),
                        *(Column(label, *count) for _key, label in situations),
                    ],
                    (
                        (
                            row["name"],
                            row["total"],
                            row["share"],
                            *(row["counts"].get(key, 0) for key, _label in situations),
                        )
                        for row in self._coverage()
                    ),
                ),
                Sheet(
                    _t("To Be Looked at"),
                    [
                        Column(_t("Finding"), width=44),
                        Column(_t("Purpose"), width=40),
                        Column(_t("Persons"), *count),
                        Column(_t("Share"), *share),
                        Column(_t("Change"), *count),
                    ],
                    (
                        (
                            line._situation_label(),
                            line.purpose_name or None,
                            line.count,
                            line.share,
                            line.change,
                        )
                        for line in self.line_ids
                        if line.kind == "finding"
                    ),
                ),
                self._trend_sheet(),
            ]
        )

    def _trend_sheet(self):
        _t = self.env._
        audits = self.search(
            [
                ("company_id", "=", self.company_id.id),
                ("state", "=", "done"),
                ("date", "<=", self.date),
            ],
            order="date, id",
        )
        return Sheet(
            _t("Trend"),
            [
                Column(_t("Date"), "date", 12),
                Column(_t("Persons"), "number", 12),
                Column(_t("Covered"), "percent", 10),
                Column(_t("Without Any Basis"), "number", 12),
                Column(_t("Findings"), "number", 12),
                Column(_t("Contradictions"), "number", 14),
            ],
            (
                (
                    audit._day(),
                    audit.subject_count,
                    audit.coverage,
                    audit.no_basis_count,
                    audit.finding_count,
                    audit.contradiction_count,
                )
                for audit in audits
            ),
        )


class GdprAuditLine(models.Model):
    _inherit = "gdpr.audit.line"

    def _situation_label(self):
        self.ensure_one()
        labels = dict(self._fields["category"]._description_selection(self.env))
        return labels[self.category]
