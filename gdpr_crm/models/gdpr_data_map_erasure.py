import json

from psycopg2 import Error as DatabaseError

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import documents, redaction
from ..tools.personal_fields import personal_kind
from .gdpr_data_map import AUDIT_FIELDS, CHUNK

MARK = "[…]"
# where "anonymise" empties the personal columns; elsewhere it takes identifiers out
BLANKED_SCOPES = ("own", "identity", "link")

# values of the person's own records that tell nothing about the person
NEUTRAL_FIELDS = {
    "res.partner": {"lang", "tz", "type", "autopost_bills", "vat_label"},
    "crm.lead": {"type", "priority", "won_status", "lead_properties"},
}
# the person's own records, in the order in which they go
LAST_MODELS = ("crm.lead", "res.users", "res.partner")
POSTAL_FIELDS = {"name", "street", "street2", "zip", "city"}
SILENT = {
    "tracking_disable": True,
    "mail_notrack": True,
    "mail_create_nolog": True,
    "mail_notify_force_send": False,
    "active_test": False,
}


class GdprDataMap(models.AbstractModel):
    _inherit = "gdpr.data.map"

    @api.model
    def _erase(self, subject, request):
        """Erase a person as planned: all of it, or nothing.

        :param subject: ``gdpr.subject``; empty when nobody is known: nothing to do
        :param request: the confirmed ``gdpr.request``
        :return: what was done, fit for JSON: ``deleted``, ``anonymised`` and
            ``detached`` (label → count), ``kept`` and ``left`` (lists of dicts)
        :raise UserError: when this person can't be erased; nothing is changed then
        """
        if not subject:
            return {"kept": [], "left": []}
        self = self.sudo().with_context(**SILENT)
        subject = subject.with_env(self.env)
        self._check_erasable(subject)
        located = request._planned() or self._locate(subject)
        return self._complete(subject, located, located, [])

    def _complete(self, subject, located, todo, retained):
        """Carry out what is left of a plan, forget the person, search again.

        :param located: the whole plan
        :param todo: the part that isn't done yet; the person's own records are in it
        :param retained: what models said has to stay, so far
        """
        identifiers = self._identifiers(subject)
        retained = list(retained)
        with self.env.cr.savepoint():
            for entry in sorted(todo, key=self._erasure_order):
                retained += self._erase_entry(entry, subject, identifiers, located)
            subject._erase_identity(identifiers.phones)
            self.env.flush_all()
            self._drop_echoes(identifiers)
        self.env.invalidate_all()
        result = self._summary(located, retained)
        result |= self._left(identifiers, located, retained)
        return result

    def _drop_echoes(self, identifiers):
        """Delete the live notifications that the erasure itself set off."""
        for ids in self._search_model("bus.bus", {}, identifiers).values():
            self.env["bus.bus"].browse(ids).exists().unlink()

    # ------------------------------------------------------------
    # Steps, for a person with very many rows
    # ------------------------------------------------------------

    @api.model
    def _is_last(self, entry):
        """Tell whether rows go with the person: everything is found from them."""
        return entry.scope == "own" and entry.model in LAST_MODELS

    @api.model
    def _next_step(self, request):
        """Return the plan line to go on with, empty when only the last are left."""
        lines = request.plan_line_ids.filtered(
            lambda line: (
                line.action not in ("keep", "review")
                and line.done_count < line.count
                and not self._is_last(line)
            )
        )
        return lines.sorted(self._erasure_order)[:1]

    def _erase_slice(self, request, line, rows):
        """Deal with the next rows of one line."""
        self = self.sudo().with_context(**SILENT)
        subject = request.subject_id.with_env(self.env)
        self._check_erasable(subject)
        stop = line.done_count + rows
        entry = line._located(line.done_count, stop)
        retained = self._erase_entry(
            entry, subject, self._identifiers(subject), request._planned()
        )
        known = dict(line.retained or {})
        for kept in retained:
            known[kept.ground] = [*known.get(kept.ground, []), *kept.ids]
        line.write(
            {
                "done_count": min(stop, line.count),
                "retained": known or False,
                "tries": 0,
                "error": False,
            }
        )

    def _finish(self, request):
        """Do the last step of an erasure in steps: the person's own records."""
        self = self.sudo().with_context(**SILENT)
        subject = request.subject_id.with_env(self.env)
        self._check_erasable(subject)
        located = request._planned()
        todo = [entry for entry in located if self._is_last(entry)]
        retained = [
            line._located()._replace(ids=tuple(ids), action="keep", ground=reason)
            for line in request.plan_line_ids
            for reason, ids in (line.retained or {}).items()
        ]
        return self._complete(subject, located, todo, retained)

    @api.model
    def _erasure_order(self, entry):
        """What hangs on the person goes first, the contact last."""
        last = LAST_MODELS.index(entry.model) + 1 if self._is_last(entry) else 0
        return (last, entry.action != "delete")

    def _check_erasable(self, subject):
        if subject.erased_on:
            raise UserError(self.env._("This person was erased already."))
        if subject.legal_hold:
            raise UserError(
                self.env._(
                    "This person's data are under a legal hold: refuse the erasure on "
                    "the ground of legal claims, or end the hold first."
                )
            )
        if not subject.try_lock_for_update():
            raise UserError(
                self.env._("This person is being erased by somebody else just now.")
            )
        partners = subject.with_context(active_test=False).partner_ids
        users = partners.user_ids
        if users.filtered(lambda user: user._is_internal()):
            raise UserError(
                self.env._(
                    "This person is an internal user of this database. Archive the "
                    "user and move them to a portal or no account first: colleagues' "
                    "data are the employer's, and the last administrator can't go."
                )
            )
        reserved = self._reserved_partners()
        if partners & reserved:
            raise UserError(
                self.env._(
                    "This contact belongs to Odoo itself or is your own company's: it "
                    "can't be erased."
                )
            )

    @api.model
    def _reserved_partners(self):
        """Return the contacts without which the database doesn't work."""
        companies = self.env["res.company"].search([]).partner_id
        users = self.env["res.users"].with_context(active_test=False)
        for xmlid in ("base.public_user", "base.template_portal_user_id"):
            users |= self.env.ref(xmlid, raise_if_not_found=False) or users
        return companies | users.partner_id | self.env.ref("base.partner_root")

    # ------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------

    def _erase_entry(self, entry, subject, identifiers, located):
        """Carry one entry out; a failure names the data, not the person.

        :return: list of :class:`Located`: what the model itself said has to stay
        """
        if entry.action in ("keep", "review"):
            return []
        try:
            with self.env.cr.savepoint():
                retained = self._ask_model(entry, subject)
                if retained is None:
                    self._apply(entry, identifiers.compile(), located)
                self.env.flush_all()
        except (UserError, DatabaseError, ValueError) as error:
            raise UserError(
                self.env._(
                    "“%(label)s” (%(count)s records) can't be treated as planned, so "
                    "nothing was erased. Change its rule (Privacy ▸ Configuration ▸ "
                    "Erasure Rules) or what blocks it, then try again.",
                    label=self._label(entry.model),
                    count=len(entry.ids),
                )
            ) from error
        return retained or []

    def _ask_model(self, entry, subject):
        """Let the model erase its own rows, in pages; None when it leaves it to us."""
        retained = []
        model = self.env[entry.model]
        for start in range(0, len(entry.ids), CHUNK):
            records = model.browse(entry.ids[start : start + CHUNK]).exists()
            answer = records._gdpr_erase(subject, entry.action)
            if answer is None:
                return None
            retained += [
                entry._replace(ids=tuple(ids), action="keep", ground=reason)
                for reason, ids in answer.items()
            ]
        return retained

    def _apply(self, entry, pattern, located):
        model = self.env[entry.model]
        own = entry.scope == "own"
        if entry.action == "delete":
            self._apply_delete(entry)
        elif entry.model == "res.users" and own and entry.action == "anonymise":
            self._anonymise_users(model.browse(entry.ids).exists())
        elif "gdpr_erased" in model._fields and own and entry.action == "anonymise":
            self._apply_anonymise(entry, located)
        elif entry.model == "ir.attachment":
            self._redact_files(entry, pattern)
        else:
            blank = entry.action == "anonymise" and entry.scope in BLANKED_SCOPES
            self._redact(entry, pattern, blank=blank)

    def _apply_delete(self, entry):
        model = self.env[entry.model]
        for start in range(0, len(entry.ids), CHUNK):
            # what hung on a row deleted before may be gone already
            model.browse(entry.ids[start : start + CHUNK]).exists().unlink()

    def _apply_anonymise(self, entry, located):
        """Blank the person's own records, in place."""
        records = self.env[entry.model].browse(entry.ids).exists()
        keep_identity = entry.model == "res.partner" and any(
            other.keeps_identity and other.action == "keep" for other in located
        )
        # Odoo looks for active users before it archives a contact
        for record in records.with_context(active_test=True):
            record.write(self._anonymous_values(record, keep_identity))
        self.env.flush_all()
        self._blank_company_values(records)

    def _forget_postal_identity(self, partners):
        """Blank the name and address that documents needed until now."""
        for partner in partners.with_context(**SILENT):
            values = dict.fromkeys(POSTAL_FIELDS, False)
            values["name"] = partner.gdpr_subject_id._erased_name()
            partner.write(values)

    def _blank_company_values(self, records):
        """Blank texts that have a value in each company: a write blanks one only."""
        columns = [
            name
            for name, field in self._text_columns(records)
            if field.company_dependent
        ]
        if not columns:
            return
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id = ANY(%s)",
                SQL.identifier(records._table),
                SQL(", ").join(SQL("%s = NULL", SQL.identifier(c)) for c in columns),
                list(records.ids),
            )
        )
        records.invalidate_recordset()

    def _anonymous_values(self, record, keep_identity=False):
        """Return the values that leave nothing of the person on their own record."""
        subject = record.gdpr_subject_id
        neutral = NEUTRAL_FIELDS.get(record._name, set())
        if keep_identity:
            neutral = neutral | POSTAL_FIELDS
        values = {
            name: False
            for name, field in record._fields.items()
            if name not in neutral and self._is_personal_field(field)
        }
        values["gdpr_erased"] = True
        if record._name == "res.partner":
            values |= {"category_id": [(5,)], "active": False}
            values |= {"partner_latitude": 0.0, "partner_longitude": 0.0}
            if not keep_identity:
                values["name"] = subject._erased_name()
        else:
            values["name"] = self.env._("Erased lead #%(id)s", id=record.id)
        return values

    @api.model
    def _is_personal_field(self, field):
        """Tell whether a field of a person's own record may hold something personal."""
        if not field.store or field.related or field.inherited or field.name == "id":
            return False
        if field.compute and field.readonly:
            return False  # follows from the others
        return not field.required and (
            field.type in ("char", "text", "html", "binary", "image", "properties")
            or (field.type == "date" and field.model_name == "res.partner")
        )

    def _anonymise_users(self, users):
        """Close the portal accounts, so that nobody signs in with them."""
        users.active = False
        self.env.flush_all()
        self.env.cr.execute(
            SQL(
                """
                UPDATE res_users
                   SET login = 'erased-' || id, password = NULL, signature = NULL
                 WHERE id = ANY(%s)
                """,
                list(users.ids),
            )
        )
        users.invalidate_recordset()

    def _redact(self, entry, pattern, blank=False):
        """Take the identifiers out of the texts of rows.

        By SQL: neither tracking nor a constraint may put the old value somewhere.

        :param bool blank: the rows are about the person: what looks personal goes
            whatever it says
        """
        model = self.env[entry.model]
        columns = dict(self._text_columns(model))
        personal = {}
        if blank:
            personal = {
                name: model._fields[name] for name, _ in self._identifying(model)
            }
        names = [*columns, *(name for name in personal if name not in columns)]
        if not names or not pattern:
            return
        for start in range(0, len(entry.ids), CHUNK):
            ids = list(entry.ids[start : start + CHUNK])
            rows = self.env.execute_query(
                SQL(
                    "SELECT id, %s FROM %s WHERE id = ANY(%s)",
                    SQL(", ").join(map(SQL.identifier, names)),
                    SQL.identifier(model._table),
                    ids,
                )
            )
            for id_, *texts in rows:
                changed = {}
                for name, value in zip(names, texts, strict=True):
                    new = self._without_person(
                        model._fields[name], value, pattern, name in personal, id_
                    )
                    if new != value:
                        changed[name] = new
                self._write_row(model, id_, changed)
        model.invalidate_model()
        self._redact_bytes(entry)
        if blank:
            self._drop_pictures(entry)

    def _identifying(self, model):
        """Return the personal columns that aren't about Odoo's own working."""
        return [
            (name, kind)
            for name, kind in self._personal_columns(model)
            if name not in AUDIT_FIELDS
        ]

    def _without_person(self, field, value, pattern, personal, id_):
        """Return a column's value without the person.

        :param bool personal: whatever it says goes; a column that must have a value
            gets one of its row's own, for the sake of unique constraints
        """
        if value is None or value is False:
            return value
        if not isinstance(value, (str, dict, list)):
            return None if personal and not field.required else value
        if personal and not isinstance(value, str):
            # a translated or company-dependent text
            new = dict.fromkeys(value, MARK) if isinstance(value, dict) else []
        elif personal:
            new = f"{MARK}{id_}"
        else:
            new = redaction.redact_json(value, pattern)
        if new == value:
            return value
        says_nothing = isinstance(new, str) and redaction.is_blank(new)
        if (says_nothing or personal) and not field.required:
            return None
        return new

    def _redact_bytes(self, entry):
        """Drop files in columns of their own: they can't be rewritten by row."""
        model = self.env[entry.model]
        columns = [
            name
            for name, field in self._columns(model)
            if field.type == "binary" and not field.required
        ]
        if columns and entry.scope == "text":
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s WHERE id = ANY(%s)",
                    SQL.identifier(model._table),
                    SQL(", ").join(
                        SQL("%s = NULL", SQL.identifier(c)) for c in columns
                    ),
                    list(entry.ids),
                )
            )

    def _drop_pictures(self, entry):
        """Delete the pictures in fields of blanked rows: photos, signatures."""
        names = [
            name
            for name, field in self.env[entry.model]._fields.items()
            if field.type in ("binary", "image")
            and field.store
            and not field.column_type
            and personal_kind(name, field.type)
        ]
        if names:
            self.env["ir.attachment"].search(
                [
                    ("res_model", "=", entry.model),
                    ("res_id", "in", entry.ids),
                    ("res_field", "in", names),
                ]
            ).unlink()

    def _write_row(self, model, id_, values):
        if not values:
            return
        assignments = SQL(", ").join(
            SQL(
                "%s = %s",
                SQL.identifier(name),
                json.dumps(value) if isinstance(value, (dict, list)) else value,
            )
            for name, value in values.items()
        )
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id = %s",
                SQL.identifier(model._table),
                assignments,
                id_,
            )
        )

    def _redact_files(self, entry, pattern):
        """Take the identifiers out of files that aren't the person's.

        One that can't be rewritten (a PDF, a picture) stays whole, and the search
        afterwards reports it.
        """
        for file in self.env["ir.attachment"].browse(entry.ids).exists():
            content = file.type == "binary" and file.raw
            changed = content and documents.rewrite(content, pattern)
            values = {"name": redaction.redact(file.name, pattern)}
            if file.description:
                values["description"] = redaction.redact(file.description, pattern)
            if changed and changed != content:
                values["raw"] = changed
            file.write(values)
            file.invalidate_recordset()

    # ------------------------------------------------------------
    # Result
    # ------------------------------------------------------------

    def _summary(self, located, retained=()):
        result = {"deleted": {}, "anonymised": {}, "detached": {}, "kept": []}
        result["undecided"] = []
        part = {"delete": "deleted", "anonymise": "anonymised", "detach": "detached"}
        retained_ids = {}
        for entry in retained:
            retained_ids.setdefault(entry.model, set()).update(entry.ids)
        for entry in [*located, *retained]:
            label = self._label(entry.model)
            line = {"model": entry.model, "label": label, "count": len(entry.ids)}
            if entry.action == "keep":
                line |= {"ground": entry.ground, "until": entry.until}
                result["kept"].append(line)
            elif entry.action == "review":
                result["undecided"].append(line)
            else:
                done = set(entry.ids) - retained_ids.get(entry.model, set())
                counts = result[part[entry.action]]
                counts[label] = counts.get(label, 0) + len(done)
        return result

    def _left(self, identifiers, located, retained=()):
        """Search again, everywhere, for address, number and name.

        :return: dict with ``left`` (still found and not kept) and ``namesakes`` (only
            the name is found: a person of the same name, or a mention that an officer
            left): lists of dicts with model, label and count
        """
        kept = {}
        for entry in (*located, *retained):
            if entry.action == "keep":
                kept.setdefault(entry.model, set()).update(entry.ids)
        found = {}
        for model_name in self._searched_models():
            for scope, ids in self._search_model(model_name, {}, identifiers).items():
                found[model_name, scope] = set(ids)
        self._add_files(found, identifiers)
        self._remove_narrower(found)
        result = {"left": [], "namesakes": []}
        counts = {}
        for (model_name, scope), ids in found.items():
            part = "namesakes" if scope == "doubt" else "left"
            if rest := ids - kept.get(model_name, set()):
                key = (part, model_name)
                counts[key] = counts.get(key, 0) + len(rest)
        for (part, model_name), count in counts.items():
            result[part].append(
                {
                    "model": model_name,
                    "label": self._label(model_name),
                    "count": count,
                }
            )
        return result
