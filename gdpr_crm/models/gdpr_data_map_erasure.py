import json

from psycopg2 import Error as DatabaseError

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..tools import redaction
from .gdpr_data_map import CHUNK

# values of the person's own records that tell nothing about the person
NEUTRAL_FIELDS = {
    "res.partner": {"lang", "tz", "type", "autopost_bills", "vat_label"},
    "crm.lead": {"type", "priority", "won_status", "lead_properties"},
}
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
        located = self._locate(subject)
        pattern = self._identifiers(subject)
        email = subject.email
        with self.env.cr.savepoint():
            for entry in sorted(located, key=self._erasure_order):
                self._erase_entry(entry, pattern, located)
            subject._erase_identity()
            self.env.flush_all()
        self.env.invalidate_all()
        result = self._summary(located)
        result["left"] = self._left(email, located)
        return result

    @api.model
    def _erasure_order(self, entry):
        """What hangs on the person goes first, the contact last."""
        models_last = ("crm.lead", "res.users", "res.partner")
        last = models_last.index(entry.model) + 1 if entry.model in models_last else 0
        return (last if entry.scope == "own" else 0, entry.action != "delete")

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

    def _erase_entry(self, entry, pattern, located):
        """Carry one entry out; a failure names the data, not the person."""
        try:
            with self.env.cr.savepoint():
                if entry.action == "delete":
                    self._apply_delete(entry)
                elif entry.action == "anonymise" and entry.scope == "own":
                    self._apply_anonymise(entry, located)
                elif entry.action != "keep" and entry.model == "ir.attachment":
                    self._redact_files(entry, pattern)
                elif entry.action != "keep":
                    self._redact(entry, pattern)
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

    def _apply_delete(self, entry):
        model = self.env[entry.model]
        for start in range(0, len(entry.ids), CHUNK):
            # what hung on a row deleted before may be gone already
            model.browse(entry.ids[start : start + CHUNK]).exists().unlink()

    def _apply_anonymise(self, entry, located):
        """Blank the person's own records, in place."""
        records = self.env[entry.model].browse(entry.ids).exists()
        if entry.model == "res.users":
            self._anonymise_users(records)
            return
        keep_identity = entry.model == "res.partner" and any(
            other.keeps_identity and other.action == "keep" for other in located
        )
        # Odoo looks for active users before it archives a contact
        for record in records.with_context(active_test=True):
            record.write(self._anonymous_values(record, keep_identity))
        self.env.flush_all()
        self._blank_company_values(records)

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

    def _redact(self, entry, pattern):
        """Take the identifiers out of the texts of rows that aren't the person's.

        By SQL: neither tracking nor a constraint may put the old value somewhere.
        """
        model = self.env[entry.model]
        columns = [name for name, _field in self._text_columns(model)]
        if not columns or not pattern:
            return
        for start in range(0, len(entry.ids), CHUNK):
            ids = list(entry.ids[start : start + CHUNK])
            rows = self.env.execute_query(
                SQL(
                    "SELECT id, %s FROM %s WHERE id = ANY(%s)",
                    SQL(", ").join(map(SQL.identifier, columns)),
                    SQL.identifier(model._table),
                    ids,
                )
            )
            for id_, *texts in rows:
                values = dict(zip(columns, texts, strict=True))
                self._redact_row(model, id_, values, pattern)
        model.invalidate_model()

    def _redact_files(self, entry, pattern):
        """Take the identifiers out of text files that aren't the person's.

        Any other file stays whole, and the search afterwards reports it.
        """
        for file in self.env["ir.attachment"].browse(entry.ids).exists():
            if not (file.mimetype or "").startswith("text/"):
                continue
            text = (file.raw or b"").decode("utf-8", "surrogateescape")
            file.write(
                {
                    "name": redaction.redact(file.name, pattern),
                    "raw": redaction.redact(text, pattern).encode(
                        "utf-8", "surrogateescape"
                    ),
                }
            )
            file.invalidate_recordset()

    def _redact_row(self, model, id_, values, pattern):
        changed = {
            name: new
            for name, value in values.items()
            if value and (new := redaction.redact_json(value, pattern)) != value
        }
        if not changed:
            return
        assignments = SQL(", ").join(
            SQL(
                "%s = %s",
                SQL.identifier(name),
                json.dumps(value) if isinstance(value, (dict, list)) else value,
            )
            for name, value in changed.items()
        )
        self.env.cr.execute(
            SQL(
                "UPDATE %s SET %s WHERE id = %s",
                SQL.identifier(model._table),
                assignments,
                id_,
            )
        )

    # ------------------------------------------------------------
    # Result
    # ------------------------------------------------------------

    def _summary(self, located):
        result = {"deleted": {}, "anonymised": {}, "detached": {}, "kept": []}
        part = {"delete": "deleted", "anonymise": "anonymised", "detach": "detached"}
        for entry in located:
            label = self._label(entry.model)
            if entry.action == "keep":
                result["kept"].append(
                    {
                        "model": entry.model,
                        "label": label,
                        "count": len(entry.ids),
                        "ground": entry.ground,
                        "until": entry.until,
                    }
                )
            else:
                counts = result[part[entry.action]]
                counts[label] = counts.get(label, 0) + len(entry.ids)
        return result

    def _left(self, email, located):
        """Search again, everywhere: what is still found and isn't kept is reported."""
        if not email:
            return []
        kept = {entry.model for entry in located if entry.action == "keep"}
        probe = self.env["gdpr.subject"].new({"email": email})
        left = []
        for model_name in self._searched_models():
            if model_name in kept:
                continue
            ids = self._search_model(model_name, {}, probe).get("text")
            if ids:
                left.append(
                    {
                        "model": model_name,
                        "label": self._label(model_name),
                        "count": len(ids),
                    }
                )
        return left
