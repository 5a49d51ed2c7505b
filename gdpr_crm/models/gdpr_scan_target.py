from odoo import api, fields, models
from odoo.tools import SQL

PERSONS = ("res.partner", "crm.lead")

# where texts about persons stand: their fields with the detector's kind, the table's
# condition, and the contact or lead that a row is about; "t" is the table itself.
# Partner and lead bring their own fields (gdpr.sensitive.mixin).
TARGETS = {
    "res.partner": {"document": "'res.partner', t.id"},
    "crm.lead": {"document": "'crm.lead', t.id"},
    "mail.message": {
        "fields": {"body": "message", "subject": "message"},
        "where": "t.model IN ('res.partner', 'crm.lead')",
        "document": "t.model, t.res_id",
    },
    "mail.mail": {
        "fields": {"body_html": "message"},
        "join": "JOIN mail_message m ON m.id = t.mail_message_id",
        "where": "m.model IN ('res.partner', 'crm.lead')",
        "document": "m.model, m.res_id",
    },
    "mail.tracking.value": {
        "fields": {
            "old_value_char": "comment",
            "new_value_char": "comment",
            "old_value_text": "comment",
            "new_value_text": "comment",
        },
        "join": "JOIN mail_message m ON m.id = t.mail_message_id",
        "where": "m.model IN ('res.partner', 'crm.lead')",
        "document": "m.model, m.res_id",
    },
    "mail.activity": {
        "fields": {"summary": "comment", "note": "comment"},
        "where": "t.res_model IN ('res.partner', 'crm.lead')",
        "document": "t.res_model, t.res_id",
    },
    "calendar.event": {
        "fields": {"name": "comment", "description": "comment"},
        "where": "t.opportunity_id IS NOT NULL",
        "document": "'crm.lead', t.opportunity_id",
    },
    "ir.attachment": {
        "fields": {"name": "comment", "index_content": "comment"},
        "where": "t.res_model IN ('res.partner', 'crm.lead') AND t.res_field IS NULL",
        "document": "t.res_model, t.res_id",
    },
    "res.partner.category": {"fields": {"name": "tag"}},
    "crm.tag": {"fields": {"name": "tag"}},
    "crm.lost.reason": {"fields": {"name": "tag"}},
}
BATCH = 2000  # rows


class GdprScanTarget(models.Model):
    """How far a scan is with one table."""

    _name = "gdpr.scan.target"
    _description = "Scanned Table"
    _order = "id"

    scan_id = fields.Many2one(
        "gdpr.scan", required=True, readonly=True, ondelete="cascade", index=True
    )
    res_model = fields.Char(string="Model", required=True, readonly=True)
    name = fields.Char(string="Texts of", compute="_compute_name")
    total = fields.Integer(string="Rows", readonly=True)
    scanned = fields.Integer(string="Looked at", readonly=True)
    found = fields.Integer(string="New Findings", readonly=True)
    last_id = fields.Integer(readonly=True)
    done = fields.Boolean(readonly=True)

    @api.depends("res_model")
    def _compute_name(self):
        for target in self:
            model = self.env.get(target.res_model)
            target.name = target.res_model
            if model is not None:
                target.name = self.env["ir.model"]._get(model._name).name

    def _kinds(self):
        """Return field name → detector's kind, of the fields that are stored."""
        model = self.env[self.res_model]
        kinds = TARGETS[self.res_model].get("fields") or model._gdpr_text_kinds()
        return {
            name: kind
            for name, kind in kinds.items()
            if name in model._fields
            and model._fields[name].store
            and not model._fields[name].company_dependent
        }

    def _from(self):
        """Return the FROM and WHERE of the rows that this scan looks at."""
        target = TARGETS[self.res_model]
        where = SQL(target.get("where", "TRUE"))
        since = self.scan_id.since
        if since:
            where = SQL("%s AND t.write_date >= %s", where, since)
        return SQL(
            "FROM %s t %s WHERE %s",
            SQL.identifier(self.env[self.res_model]._table),
            SQL(target.get("join", "")),
            where,
        )

    def _count(self):
        for target in self:
            rows = self.env.execute_query(SQL("SELECT count(*) %s", target._from()))
            target.total = rows[0][0]

    def _run_batch(self, limit=BATCH):
        """Look at the next rows; what was found and how far it is go together.

        :return: how many rows were looked at; 0 when the table is done
        """
        self.ensure_one()
        kinds = self._kinds()
        names = self._name_fields(kinds)
        columns = list(dict.fromkeys([*kinds, *names]))
        document = TARGETS[self.res_model].get("document", "NULL, NULL")
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT t.id, %s, %s %s AND t.id > %s ORDER BY t.id LIMIT %s",
                SQL(document),
                SQL(", ").join(SQL.identifier("t", name) for name in columns),
                self._from(),
                self.last_id,
                limit,
            )
        )
        found, documents = {}, {}
        for res_id, document_model, document_id, *values in rows:
            texts = dict(zip(columns, values, strict=True))
            documents[res_id] = document_model and (document_model, document_id)
            for name, kind in kinds.items():
                if text := texts[name]:
                    own = [texts[n] for n in names if texts[n]]
                    found[res_id, name] = self._look_at(text, kind, own)
        hits = {place: hit for place, hit in found.items() if hit[0]}
        open_places = self._open_places([row[0] for row in rows])
        hits |= {place: found[place] for place in open_places & found.keys()}
        self.found += self.env["gdpr.finding"]._note(self.res_model, hits, documents)
        self.scanned += len(rows)
        self.last_id = rows[-1][0] if rows else self.last_id
        self.done = len(rows) < limit
        return len(rows)

    def _name_fields(self, kinds):
        return [n for n, kind in kinds.items() if kind in ("name", "company_name")]

    @api.model
    def _look_at(self, text, kind, names):
        """Return (findings, text); of a translated text the first language with any."""
        Finding = self.env["gdpr.finding"]
        if isinstance(text, dict):
            pairs = [(Finding._detect(value, kind), value) for value in text.values()]
            return next((pair for pair in pairs if pair[0]), pairs[0])
        findings = Finding._detect(text, kind)
        if findings and names:
            findings = Finding._detect(text, kind, names)
        return findings, text

    def _open_places(self, ids):
        """Return the (record id, field) of open findings among these rows."""
        findings = (
            self.env["gdpr.finding"]
            .sudo()
            .search(
                [
                    ("res_model", "=", self.res_model),
                    ("res_id", "in", ids),
                    ("state", "=", "open"),
                ]
            )
        )
        return {(f.res_id, f.field_name) for f in findings}
