from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from ..tools import nearby
from ..tools.masking import mask, normal_form
from .gdpr_scan_target import TARGETS

OPEN = "open"
CLOSED_FOR_GOOD = ("false_alarm", "justified")


class GdprFinding(models.Model):
    """Sensitive data found in a text on file, without its words (GDPR Art. 9, 5(1)(c)).

    It says where the text is, what the detector took it for and what became of it.
    """

    _name = "gdpr.finding"
    _description = "Sensitive Data Finding"
    _order = "level, id desc"

    res_model = fields.Char(string="Found in", required=True, readonly=True)
    res_id = fields.Many2oneReference(
        string="Text", model_field="res_model", required=True, readonly=True
    )
    field_name = fields.Char(string="Technical Field", required=True, readonly=True)
    field_label = fields.Char(string="Field", compute="_compute_field_label")
    document_model = fields.Selection(
        [("res.partner", "Contact"), ("crm.lead", "Lead")],
        string="Record Type",
        readonly=True,
    )
    document_id = fields.Many2oneReference(
        string="Record", model_field="document_model", readonly=True
    )
    document_name = fields.Char(string="Concerns", compute="_compute_document_name")
    category = fields.Selection(
        selection="_selection_category", required=True, readonly=True, index=True
    )
    level = fields.Selection(
        [("block", "Sure"), ("review", "To be reviewed")],
        required=True,
        readonly=True,
        index=True,
    )
    rule = fields.Char(readonly=True, help="Which line of the detector's knowledge.")
    digest = fields.Char(
        readonly=True,
        groups=fields.NO_ACCESS,
        help="Keyed hash of the words, to know them again.",
    )
    state = fields.Selection(
        [
            ("open", "Open"),
            ("masked", "Words masked"),
            ("cleared", "Field cleared"),
            ("quarantined", "Put aside"),
            ("false_alarm", "False alarm"),
            ("justified", "Exception recorded"),
            ("gone", "No longer there"),
        ],
        required=True,
        readonly=True,
        default=OPEN,
        index=True,
    )
    closed_on = fields.Datetime(readonly=True)
    closed_uid = fields.Many2one("res.users", string="Closed by", readonly=True)
    user_id = fields.Many2one("res.users", string="Salesperson", readonly=True)
    team_id = fields.Many2one("crm.team", string="Sales Team", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True, index="btree_not_null")

    _place_unique = models.UniqueIndex("(res_model, res_id, field_name, category)")

    @api.model
    def _selection_category(self):
        # what isn't Art. 9 is told apart: nobody is stopped, an officer looks at it
        return [
            *self.env["gdpr.exception"]
            ._fields["category"]
            ._description_selection(self.env),
            (nearby.IDENTIFIER, self.env._("national identifier (Art. 87)")),
            (nearby.CRIMINAL, self.env._("criminal convictions (Art. 10)")),
        ]

    @api.depends("res_model", "field_name")
    def _compute_field_label(self):
        for finding in self:
            label = finding.field_name
            if finding.res_model in self.env:
                model = self.env[finding.res_model]
                strings = model.fields_get([finding.field_name], ["string"])
                label = strings.get(finding.field_name, {}).get("string") or label
            finding.field_label = label

    @api.depends("document_model", "document_id", "res_model", "res_id")
    def _compute_document_name(self):
        for finding in self:
            document = finding._document()
            finding.document_name = document.display_name if document else False

    @api.depends("category", "level")
    def _compute_display_name(self):
        labels = dict(self._fields["category"]._description_selection(self.env))
        for finding in self:
            finding.display_name = f"{labels.get(finding.category)} #{finding.id}"

    def _document(self):
        """Return the contact or lead that the text is about, else the text's record."""
        self.ensure_one()
        model_name = self.document_model or self.res_model
        if model_name not in self.env:
            return None
        record = self.env[model_name].browse(self.document_id or self.res_id)
        return record.exists() or None

    # ------------------------------------------------------------
    # Finding
    # ------------------------------------------------------------

    @api.model
    def _digest(self, rule, words):
        # one key for all that is kept as a keyed hash only
        return self.env["gdpr.subject"]._suppression_digest(
            f"{rule}|{normal_form(words)}"
        )

    @api.model
    def _detect(self, text, kind, names=()):
        """Return what the detector finds in ``text`` and no allow rule takes back.

        :return: list of ``sensitive.detector.Finding``
        """
        found = self.env["gdpr.sensitive.term"]._detector().find(text, kind, names)
        found = [*found, *nearby.find(text)]
        if not found:
            return []
        found = self.env["gdpr.sensitive.policy"]._apply(found)
        allowed = self.env["gdpr.allowance"]._digests()
        if not allowed:
            return found
        return [
            f
            for f in found
            if self._digest(f.rule, text[f.start : f.end]) not in allowed
        ]

    @api.model
    def _note(self, res_model, found, documents):
        """Write down what was found in a batch of texts; close what is gone.

        :param str res_model: where the texts are
        :param dict found: (record id, field name) → findings and the text, for every
            text that was looked at
        :param dict documents: record id → (model, id) of the contact or lead
        :return: how many new findings there are
        """
        ids = list({res_id for res_id, _field in found})
        known = self.sudo().search(
            [("res_model", "=", res_model), ("res_id", "in", ids)]
        )
        by_place = {(f.res_id, f.field_name, f.category): f for f in known}
        allowed = self._allowed_categories(documents)
        values, seen = [], self.sudo().browse()
        for (res_id, field_name), (findings, text) in found.items():
            document = documents.get(res_id)
            for category, finding in _strongest(findings).items():
                if category in allowed.get(document, ()):
                    continue
                words = text[finding.start : finding.end]
                new = {
                    "level": finding.level,
                    "rule": finding.rule,
                    "digest": self._digest(finding.rule, words),
                }
                old = by_place.get((res_id, field_name, category))
                if not old:
                    place = {"res_model": res_model, "res_id": res_id}
                    values.append(
                        place | new | {"field_name": field_name, "category": category}
                    )
                    continue
                seen |= old
                if old.digest != new["digest"] or old.level != new["level"]:
                    old.write(new)
                if old.state not in (OPEN, *CLOSED_FOR_GOOD) or (
                    old.state in CLOSED_FOR_GOOD and old.digest != new["digest"]
                ):
                    old.write({"state": OPEN, "closed_on": False, "closed_uid": False})
        gone = known.filtered(
            lambda f: (
                f.state == OPEN and (f.res_id, f.field_name) in found and f not in seen
            )
        )
        gone._close("gone")
        self._fill_owners(values, documents)
        self.sudo().create(values)
        return len(values)

    @api.model
    def _allowed_categories(self, documents):
        """Return document → categories that a recorded exception lets it hold."""
        allowed = {}
        for model_name in {document[0] for document in documents.values() if document}:
            ids = [d[1] for d in documents.values() if d and d[0] == model_name]
            by_id = self.env["gdpr.exception"]._allowed(model_name, ids)
            allowed |= {(model_name, id_): found for id_, found in by_id.items()}
        return allowed

    @api.model
    def _fill_owners(self, values_list, documents):
        for model_name in ("res.partner", "crm.lead"):
            wanted = [
                (values, documents[values["res_id"]][1])
                for values in values_list
                if (documents.get(values["res_id"]) or (None,))[0] == model_name
            ]
            # who scans needn't see every contact and lead
            records = self.env[model_name].sudo().browse([id_ for _v, id_ in wanted])
            existing = set(records.exists()._ids)
            for values, id_ in wanted:
                record = records.browse(id_)
                values.update({"document_model": model_name, "document_id": id_})
                if id_ in existing:
                    values.update(
                        user_id=record.user_id.id,
                        team_id=record.team_id.id
                        if model_name == "crm.lead"
                        else False,
                        company_id=record.company_id.id,
                    )

    # ------------------------------------------------------------
    # What becomes of it
    # ------------------------------------------------------------

    def action_open_document(self):
        """Open the contact or lead that the text is about."""
        self.ensure_one()
        document = self._document()
        if not document:
            raise UserError(self.env._("The record doesn't exist any more."))
        return {
            "type": "ir.actions.act_window",
            "res_model": document._name,
            "res_id": document.id,
            "view_mode": "form",
        }

    def action_resolve(self):
        """Open the wizard that masks, clears, puts aside, allows or justifies."""
        return {
            "type": "ir.actions.act_window",
            "res_model": "gdpr.finding.resolution",
            "name": self.env._("Resolve Findings"),
            "view_mode": "form",
            "target": "new",
            "context": {"default_finding_ids": self.ids},
        }

    def _close(self, state):
        self.sudo().write(
            {
                "state": state,
                "closed_on": fields.Datetime.now(),
                "closed_uid": self.env.uid,
            }
        )

    def _text(self):
        """Return the record that holds the text, and the text; (None, "") when gone.

        A translated text is the dictionary of its languages.
        """
        self.ensure_one()
        if self.res_model not in self.env:
            return None, ""
        # the officer decides about texts on records they may not open
        record = self.env[self.res_model].sudo().browse(self.res_id).exists()
        if not record or self.field_name not in record._fields:
            return None, ""
        if record._fields[self.field_name].translate:
            rows = self.env.execute_query(
                SQL(
                    "SELECT %s FROM %s WHERE id = %s",
                    SQL.identifier(self.field_name),
                    SQL.identifier(record._table),
                    record.id,
                )
            )
            return record, (rows and rows[0][0]) or {}
        return record, record[self.field_name] or ""

    def _write_text(self, record, text):
        """Write the changed text where it stands; no trace keeps the old one."""
        name = self.field_name
        if isinstance(text, dict):
            for lang, value in text.items():
                record.with_context(lang=lang, tracking_disable=True).write(
                    {name: value}
                )
            return
        record = record.with_context(tracking_disable=True)
        if hasattr(record, "_gdpr_with_known_text"):
            record = record._gdpr_with_known_text()
        record.write({name: text})

    def _kind(self):
        return TARGETS.get(self.res_model, {}).get("fields", {}).get(
            self.field_name
        ) or self.env[self.res_model]._gdpr_text_kinds().get(self.field_name, "comment")

    def _mask(self):
        """Take the words of these findings out of their texts."""
        for finding in self:
            record, text = finding._text()
            if record:
                masked = finding._masked(text)
                if masked != text:
                    finding._write_text(record, masked)
            finding._close("masked")

    def _masked(self, text):
        if isinstance(text, dict):
            return {lang: self._masked(value) for lang, value in text.items()}
        spans = [
            (found.start, found.end)
            for found in self._detect(text, self._kind())
            if found.category == self.category
        ]
        return mask(text, spans)

    def _clear(self):
        """Empty the texts of these findings."""
        for finding in self:
            record, _text = finding._text()
            if record:
                finding._check_clearable(record)
                finding._write_text(record, False)
            finding._close("cleared")

    def _check_clearable(self, record):
        field = record._fields[self.field_name]
        if field.required or self.field_name == record._rec_name:
            raise UserError(
                self.env._(
                    "“%(field)s” can't be empty: mask the words instead.",
                    field=self.field_label,
                )
            )

    def _quarantine(self):
        """Move the texts of these findings where only privacy officers read them."""
        for finding in self:
            record, text = finding._text()
            if record and isinstance(text, str):
                self.env["gdpr.quarantine"].sudo().create(
                    {
                        "res_model": finding.document_model or finding.res_model,
                        "res_id": finding.document_id or finding.res_id,
                        "field_name": finding.field_label,
                        "text": text,
                        "categories": finding.category,
                        "company_id": (finding.company_id or self.env.company).id,
                    }
                )
                finding._write_text(record, finding._masked(text))
            finding._close("quarantined")

    def _false_alarm(self):
        """Never again take these words for sensitive, wherever they stand."""
        self.env["gdpr.allowance"].sudo()._allow(self.sudo())
        same = self.sudo().search(
            Domain("digest", "in", self.sudo().mapped("digest"))
            & Domain("state", "=", OPEN)
        )
        (self | same)._close("false_alarm")

    def _justify(self, ground, reason, valid_until=None):
        """Record an Art. 9(2) exception for the records of these findings."""
        for finding in self:
            if finding.category in (nearby.IDENTIFIER, nearby.CRIMINAL):
                raise UserError(
                    self.env._("Art. 9(2) has no ground for this: mask or clear it.")
                )
            if not finding.document_id:
                raise UserError(
                    self.env._("An exception needs a contact or lead: rename the tag.")
                )
            self.env["gdpr.exception"].create(
                {
                    "res_model": finding.document_model,
                    "res_id": finding.document_id,
                    "category": finding.category,
                    "ground": ground,
                    "reason": reason,
                    "valid_until": valid_until,
                    "company_id": (finding.company_id or self.env.company).id,
                }
            )
            finding._close("justified")


class GdprAllowance(models.Model):
    """Words that are no sensitive data here, kept as a keyed hash and never as text."""

    _name = "gdpr.allowance"
    _description = "Allowed Words"
    _order = "id desc"

    rule = fields.Char(readonly=True)
    category = fields.Selection(
        selection=lambda self: self.env["gdpr.exception"]._fields["category"].selection,
        readonly=True,
    )
    digest = fields.Char(readonly=True, required=True, groups=fields.NO_ACCESS)

    _digest_unique = models.Constraint(
        "UNIQUE(digest)", "These words are allowed already."
    )

    @api.depends("rule")
    def _compute_display_name(self):
        for allowance in self:
            allowance.display_name = f"{allowance.rule} #{allowance.id}"

    @api.model
    @tools.ormcache()
    def _digests(self):
        return frozenset(self.sudo().search([]).mapped("digest"))

    @api.model
    def _allow(self, findings):
        known = self._digests()
        new = {f.digest: f for f in findings if f.digest and f.digest not in known}
        self.create(
            [
                {"rule": f.rule, "category": f.category, "digest": digest}
                for digest, f in new.items()
            ]
        )

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()


def _strongest(findings):
    """Return category → its strongest finding."""
    strongest = {}
    for finding in sorted(findings, key=lambda f: f.level != "block"):
        strongest.setdefault(finding.category, finding)
    return strongest
