import json
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.misc import format_date

MONTHS = 12  # on the consents' graph
AUDITS = 12  # on the trend graphs
FIGURES = {
    "valid_count": ("valid",),
    "pending_count": ("pending",),
    "declined_count": ("declined", "objected", "restricted"),
    "none_count": ("none", "expired"),
}


class GdprOverview(models.Model):
    """The cards of the app's first page; nothing is stored.

    One card for the last audit, the requests, the consents over time, and each
    purpose. Every figure leads to its list.
    """

    _name = "gdpr.overview"
    _description = "Privacy Overview"
    _auto = False
    _order = "sequence, id"

    kind = fields.Selection(
        [
            ("audit", "Last Audit"),
            ("request", "Requests"),
            ("consent", "Consents over Time"),
            ("purpose", "Purpose"),
        ],
        readonly=True,
    )
    purpose_id = fields.Many2one("gdpr.purpose", readonly=True)
    sequence = fields.Integer(readonly=True)
    name = fields.Char(compute="_compute_name")
    graph = fields.Text(compute="_compute_audit")
    audit_date = fields.Date(compute="_compute_audit")
    person_count = fields.Integer(string="Persons", compute="_compute_audit")
    coverage = fields.Float(compute="_compute_audit")
    no_basis_count = fields.Integer(
        string="Without Any Basis", compute="_compute_audit"
    )
    finding_count = fields.Integer(string="Findings", compute="_compute_audit")
    contradiction_count = fields.Integer(
        string="Contradictions", compute="_compute_audit"
    )
    valid_count = fields.Integer(string="Valid Basis", compute="_compute_audit")
    pending_count = fields.Integer(string="To Be Confirmed", compute="_compute_audit")
    declined_count = fields.Integer(
        string="Refused, Withdrawn or Objected", compute="_compute_audit"
    )
    none_count = fields.Integer(string="No Answer", compute="_compute_audit")
    request_open_count = fields.Integer(string="Open", compute="_compute_requests")
    request_soon_count = fields.Integer(
        string="Due within a Week", compute="_compute_requests"
    )
    request_late_count = fields.Integer(string="Overdue", compute="_compute_requests")
    given_count = fields.Integer(string="Given in 30 Days", compute="_compute_consents")
    withdrawn_count = fields.Integer(
        string="Withdrawn in 30 Days", compute="_compute_consents"
    )

    @property
    def _table_query(self):
        return SQL(
            """
            SELECT id, kind, NULL::int AS purpose_id, id AS sequence
              FROM (VALUES (1, 'audit'), (2, 'request'), (3, 'consent')) AS c (id, kind)
             UNION ALL
            SELECT id + 100, 'purpose', id,
                   100 + row_number() OVER (ORDER BY sequence, id)
              FROM gdpr_purpose WHERE active
            """
        )

    @api.depends("kind", "purpose_id.name")
    @api.depends_context("lang")
    def _compute_name(self):
        labels = dict(self._fields["kind"]._description_selection(self.env))
        for card in self:
            card.name = card.purpose_id.name or labels.get(card.kind)

    # ------------------------------------------------------------
    # Figures
    # ------------------------------------------------------------

    def _audits(self):
        """Return the company's last audits, the newest first."""
        return self.env["gdpr.audit"].search(
            [("company_id", "=", self.env.company.id), ("state", "=", "done")],
            limit=AUDITS,
        )

    @api.depends_context("company", "lang")
    @api.depends("kind", "purpose_id")
    def _compute_audit(self):
        audits = self._audits()
        last = audits[:1]
        lines = audits.basis_line_ids.grouped(lambda x: (x.audit_id, x.purpose_id))
        for card in self:
            own = lines.get((last, card.purpose_id), last.line_ids.browse())
            counts = {line.category: line.count for line in own}
            of_audit = last if card.kind == "audit" else last.browse()
            card.update(
                {
                    name: sum(counts.get(category, 0) for category in categories)
                    for name, categories in FIGURES.items()
                }
            )
            card.audit_date = last and last._day()
            card.no_basis_count = of_audit.no_basis_count
            card.finding_count = of_audit.finding_count
            card.contradiction_count = of_audit.contradiction_count
            card.person_count = of_audit.subject_count or sum(counts.values())
            card.coverage = (
                of_audit.coverage
                if of_audit
                else card.valid_count / card.person_count
                if card.person_count
                else 0
            )
            card.graph = card._graph(audits, lines)

    def _graph(self, audits, lines):
        """Return the data of the card's graph, as its widget wants them."""
        self.ensure_one()
        if self.kind == "request":
            return False
        if self.kind == "consent":
            label = self.env._("Consents given")
            values = self._consents_by_month()
        else:
            if len(audits) < 2:
                return False
            label = self.env._("Share with a valid basis (%)")
            values = [
                {
                    "x": format_date(self.env, audit._day()),
                    "y": round(100 * self._share(audit, lines), 1),
                }
                for audit in reversed(audits)
            ]
        return json.dumps([{"key": label, "values": values}])

    def _share(self, audit, lines):
        if self.kind == "audit":
            return audit.coverage
        own = lines.get((audit, self.purpose_id), audit.line_ids.browse())
        return sum(x.share for x in own if x.category == "valid")

    def _consents_by_month(self):
        first = fields.Datetime.now().replace(day=1, hour=0, minute=0, second=0)
        months = [first - relativedelta(months=n) for n in reversed(range(MONTHS))]
        groups = self.env["gdpr.consent.event"]._read_group(
            [
                ("action", "in", ("give", "confirm")),
                ("state", "=", "given"),
                ("occurred_on", ">=", months[0]),
            ],
            ["occurred_on:month"],
            ["__count"],
        )
        counts = {(month.year, month.month): count for month, count in groups}
        return [
            {
                "label": format_date(self.env, month, date_format="LLL"),
                "value": counts.get((month.year, month.month), 0),
                "type": "past",
            }
            for month in months
        ]

    @api.depends("kind")
    def _compute_requests(self):
        self.request_open_count = 0
        self.request_soon_count = self.request_late_count = 0
        card = self.filtered(lambda card: card.kind == "request")
        if not card:
            return
        today = fields.Date.context_today(self)
        due = dict(
            self.env["gdpr.request"]._read_group(
                [("is_open", "=", True)], ["due_on:day"], ["__count"]
            )
        )
        card.request_open_count = sum(due.values())
        card.request_late_count = sum(n for day, n in due.items() if day < today)
        card.request_soon_count = sum(
            n for day, n in due.items() if today <= day <= today + timedelta(days=7)
        )

    @api.depends("kind")
    def _compute_consents(self):
        self.given_count = self.withdrawn_count = 0
        card = self.filtered(lambda card: card.kind == "consent")
        if not card:
            return
        since = fields.Datetime.now() - timedelta(days=30)
        counts = dict(
            self.env["gdpr.consent.event"]._read_group(
                [("occurred_on", ">=", since)], ["state"], ["__count"]
            )
        )
        card.given_count = counts.get("given", 0)
        card.withdrawn_count = counts.get("withdrawn", 0) + counts.get("refused", 0)

    # ------------------------------------------------------------
    # From a figure to its list
    # ------------------------------------------------------------

    def action_open(self):
        """Open the list behind the figure named ``gdpr_figure`` in the context."""
        self.ensure_one()
        figure = self.env.context.get("gdpr_figure")
        if self.kind == "request":
            return self._open_requests(figure)
        if self.kind == "consent":
            return self._open_events(figure)
        audit = self._audits()[:1]
        if not audit:
            return self.env["gdpr.audit"].action_run()
        if self.kind == "audit" and figure != "no_basis":
            return audit.action_open()
        return self._open_subjects(audit, figure)

    def _open_requests(self, figure):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_request_action"
        )
        name = {"soon": "soon", "late": "late"}.get(figure, "open")
        context = {f"search_default_{name}": 1}
        if name == "soon":
            # what is overdue already has its own figure
            today = fields.Date.to_string(fields.Date.context_today(self))
            action["domain"] = [("due_on", ">=", today)]
        return action | {"context": context}

    def _open_events(self, figure):
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_consent_event_action"
        )
        states = {"given": ["given"], "withdrawn": ["withdrawn", "refused"]}
        if figure in states:
            since = fields.Datetime.now() - timedelta(days=30)
            action["domain"] = [
                ("state", "in", states[figure]),
                ("occurred_on", ">=", fields.Datetime.to_string(since)),
            ]
        return action

    def _open_subjects(self, audit, figure):
        """Open the persons of a figure, of one or several situations."""
        if figure == "no_basis":
            lines = audit.line_ids.filtered(lambda x: x.category == "no_basis")
        else:
            categories = FIGURES.get(f"{figure}_count")
            lines = audit.basis_line_ids.filtered(
                lambda x: (
                    x.purpose_id == self.purpose_id
                    and (not categories or x.category in categories)
                )
            )
        if len(lines) == 1:
            return lines.action_view_subjects()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "gdpr_crm.gdpr_subject_action"
        )
        return action | {
            "name": f"{self.name}, {audit.display_name}",
            "domain": [("audit_line_id", "in", lines.ids)],
        }

    def action_run_audit(self):
        """Run an audit now."""
        return self.env["gdpr.audit"].action_run()
