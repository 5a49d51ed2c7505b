import base64
import binascii
import logging

from odoo import api, models
from odoo.tools import SQL
from odoo.tools.sql import escape_psql

from ..tools import documents, redaction
from ..tools.personal_fields import is_contactable, personal_kind
from .gdpr_data_map import AUDIT_FIELDS, CHUNK, SEED_MODELS

_logger = logging.getLogger(__name__)

# files in which no text is, and those of the web client
SILENT_TYPES = ("image/", "audio/", "video/", "font/")
MAX_FILE = 50_000_000  # bytes
# columns of bytes that hold a file in base64, where Odoo keeps no attachment
PAIR_COLUMNS = (("res_model", "res_id"), ("model", "res_id"), ("model", "rec_id"))


class GdprDataMap(models.AbstractModel):
    _inherit = "gdpr.data.map"

    # ------------------------------------------------------------
    # Identifiers
    # ------------------------------------------------------------

    @api.model
    def _identifiers(self, subject):
        """Return what this person is recognised by (``redaction.Identifiers``).

        A number that a company or another person has too identifies nobody.
        """
        subject = subject.sudo().with_context(active_test=False)
        partners, leads = subject.partner_ids, subject.lead_ids
        emails = {
            subject.email,
            *partners.mapped("email_normalized"),
            *leads.mapped("email_normalized"),
        }
        phones = {subject.phone}
        for record in (*partners, *leads):
            phones.add(record.phone_sanitized or record.phone)
        names = {*partners.mapped("name"), *leads.mapped("contact_name")}
        return redaction.Identifiers(
            tuple(sorted(filter(None, emails))),
            tuple(sorted(set(filter(None, phones)) - self._shared(subject, phones))),
            tuple(sorted(filter(None, names))),
        )

    def _shared(self, subject, phones):
        """Return those of the numbers that somebody else is reached by too."""
        phones = list(filter(None, phones))
        if not phones:
            return set()
        self.env["res.partner"].flush_model()
        self.env["crm.lead"].flush_model()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT p.phone_sanitized
                  FROM res_partner p
             LEFT JOIN gdpr_subject s ON s.id = p.gdpr_subject_id
                 WHERE p.phone_sanitized = ANY(%(phones)s)
                   AND (p.is_company
                        OR s.id != ALL(%(ids)s) AND s.email IS NOT NULL)
                 UNION
                SELECT l.phone_sanitized
                  FROM crm_lead l
                  JOIN gdpr_subject s ON s.id = l.gdpr_subject_id
                 WHERE l.phone_sanitized = ANY(%(phones)s)
                   AND s.id != ALL(%(ids)s) AND s.email IS NOT NULL
                """,
                phones=phones,
                ids=list(subject.ids),
            )
        )
        return {phone for (phone,) in rows}

    # ------------------------------------------------------------
    # One table
    # ------------------------------------------------------------

    def _search_model(self, model_name, seeds, identifiers):
        """Return scope → ids of the rows of one model, in one query."""
        model = self.env[model_name]
        conditions = {}
        if not model._transient:
            conditions["own"] = self._any(self._own_conditions(model, seeds))
            conditions["link"] = self._any(self._link_conditions(model, seeds))
        conditions |= self._text_conditions(model, identifiers)
        conditions = {scope: term for scope, term in conditions.items() if term}
        wanted = [
            term for scope, term in conditions.items() if scope != "identity"
        ]  # what an identity fulfils, a text does
        if not wanted:
            return {}
        rows = self.env.execute_query(
            SQL(
                """
                SELECT t.id, %(flags)s
                  FROM %(table)s t
            CROSS JOIN LATERAL (SELECT %(text)s AS gdpr_text OFFSET 0) AS x
                 WHERE %(wanted)s
                """,
                flags=SQL(", ").join(
                    SQL("COALESCE(%s, FALSE)", term) for term in conditions.values()
                ),
                table=SQL.identifier(model._table),
                text=self._whole_text(model),
                wanted=SQL(" OR ").join(wanted),
            )
        )
        found = {
            scope: {row[0] for row in rows if row[position]}
            for position, scope in enumerate(conditions, 1)
        }
        if model_name in SEED_MODELS and "identity" in found:
            # another contact with the same number: whose it is, its own data say
            found["text"] = found.get("text", set()) | found.pop("identity")
        return found

    @api.model
    def _any(self, terms):
        return SQL("(%s)", SQL(" OR ").join(terms)) if terms else None

    def _own_conditions(self, model, seeds):
        """Rows that hang on the person's records: they are nothing without them."""
        terms = []
        for name, field in self._columns(model):
            column = SQL.identifier("t", name)
            if field.type == "many2one" and field.ondelete == "cascade":
                if (ids := seeds.get(field.comodel_name)) and field.column_type[
                    0
                ] == "int4":
                    terms.append(SQL("%s = ANY(%s)", column, list(ids)))
            elif field.type == "reference":
                values = [f"{seed},{id_}" for seed, ids in seeds.items() for id_ in ids]
                terms.append(SQL("%s = ANY(%s)", column, values))
        for model_column, id_column in self._pairs(model):
            terms += [
                SQL(
                    "(%s = %s AND %s = ANY(%s))",
                    SQL.identifier("t", model_column),
                    seed,
                    SQL.identifier("t", id_column),
                    list(ids),
                )
                for seed, ids in seeds.items()
                if ids
            ]
        return terms

    @api.model
    def _pairs(self, model):
        """Return the pairs of columns (model, id) that point to any record."""
        stored = dict(self._columns(model))
        pairs = {
            (field.model_field, name)
            for name, field in stored.items()
            if field.type == "many2one_reference" and field.model_field in stored
        }
        pairs |= {
            (model_column, id_column)
            for model_column, id_column in PAIR_COLUMNS
            if model_column in stored
            and stored[model_column].type in ("char", "selection")
            and id_column in stored
            and stored[id_column].type in ("integer", "many2one_reference")
        }
        return sorted(pairs)

    def _link_conditions(self, model, seeds):
        """Rows of their own that point to the person."""
        terms = []
        for name, field in model._fields.items():
            ids = seeds.get(field.comodel_name) if field.relational else None
            if not ids or not field.store or name in AUDIT_FIELDS:
                continue
            if field.type == "many2one":
                if model._name in SEED_MODELS and name == "gdpr_subject_id":
                    continue
                column = SQL.identifier("t", name)
                if field.company_dependent:
                    terms.append(
                        SQL(
                            """
                            EXISTS (SELECT 1 FROM jsonb_each_text(%s) AS v
                                     WHERE v.value = ANY(%s))
                            """,
                            column,
                            list(map(str, ids)),
                        )
                    )
                elif field.ondelete != "cascade":
                    terms.append(SQL("%s = ANY(%s)", column, list(ids)))
            elif field.type == "many2many":
                terms.append(
                    SQL(
                        "t.id IN (SELECT %s FROM %s WHERE %s = ANY(%s))",
                        SQL.identifier(field.column1),
                        SQL.identifier(field.relation),
                        SQL.identifier(field.column2),
                        list(ids),
                    )
                )
        return terms

    # ------------------------------------------------------------
    # Texts
    # ------------------------------------------------------------

    @api.model
    def _whole_text(self, model):
        """Return the SQL of all the texts of a row, whatever they are stored as."""
        columns = [
            SQL("%s::text", SQL.identifier("t", name))
            for name, _field in self._text_columns(model)
        ]
        return SQL("concat_ws(chr(10), %s)", SQL(", ").join(columns or [SQL("NULL")]))

    def _text_conditions(self, model, identifiers):
        """Return scope → condition of rows in whose texts the person stands.

        * *identity*: a column holds the address or number and nothing else;
        * *text*: they stand somewhere in a text;
        * *doubt*: only the name does, which a namesake has too.
        """
        columns = self._text_columns(model)
        if not columns or not identifiers:
            return {}
        text = SQL("x.gdpr_text")
        sure = [self._email_term(text, email) for email in identifiers.emails]
        sure += [self._phone_term(text, phone) for phone in identifiers.phones]
        sure = [term for term in sure if term]
        conditions = {}
        if sure:
            conditions["text"] = self._any(sure)
            conditions["identity"] = self._identity_term(columns, identifiers)
        names = [self._name_term(text, name) for name in identifiers.names]
        names = [term for term in names if term]
        if names and not model._transient:
            conditions["doubt"] = SQL(
                "(%s AND %s)", self._any(names), self._no_other_address(model)
            )
        return conditions

    def _email_term(self, text, email):
        pattern = redaction.email_pattern(email)
        if not pattern:
            return None
        local, _at, domain = email.rpartition("@")
        # the first is fast, the second exact
        return SQL(
            "(%s ILIKE %s AND %s ~* %s)",
            text,
            f"%{escape_psql(local)}%{escape_psql(domain)}%",
            text,
            pattern,
        )

    def _phone_term(self, text, phone):
        pattern = redaction.phone_pattern(phone)
        if not pattern:
            return None
        national, _country = redaction.split_number(phone)
        return SQL(
            "(translate(replace(%s, '&nbsp;', ''), %s, '') LIKE %s AND %s ~ %s)",
            text,
            redaction.NUMBER_SEPARATORS,
            f"%{national}%",
            text,
            pattern,
        )

    def _name_term(self, text, name):
        pattern = redaction.name_pattern(name)
        if not pattern:
            return None
        longest = max(name.split(), key=len)
        return SQL(
            "(%s ILIKE %s AND %s ~* %s)",
            text,
            f"%{escape_psql(longest)}%",
            text,
            pattern,
        )

    def _identity_term(self, columns, identifiers):
        """A short text that is the address or number, alone or as ``Name <mail>``."""
        patterns = [
            *map(redaction.email_pattern, identifiers.emails),
            *map(redaction.phone_pattern, identifiers.phones),
        ]
        whole = redaction.whole_pattern("|".join(filter(None, patterns)))
        return self._any(
            [
                SQL("%s ~* %s", SQL.identifier("t", name), whole)
                for name, field in columns
                if field.type == "char" and field.column_type[0] == "varchar"
            ]
        )

    def _no_other_address(self, model):
        """A namesake with an address of their own is somebody else."""
        addresses = [
            SQL.identifier("t", name)
            for name, field in self._text_columns(model)
            if field.type == "char" and personal_kind(name, field.type) == "email"
        ]
        if not addresses:
            return SQL("TRUE")
        return SQL("concat_ws(' ', %s) NOT LIKE '%%@%%'", SQL(", ").join(addresses))

    @api.model
    def _columns(self, model):
        """Return (name, field) of the stored columns of a model's own table."""
        return [
            (name, field)
            for name, field in model._fields.items()
            if field.store and field.column_type and not field.inherited
        ]

    @api.model
    def _text_columns(self, model):
        return [
            (name, field)
            for name, field in self._columns(model)
            if field.type in ("char", "text", "html", "json", "properties")
        ]

    @api.model
    def _personal_columns(self, model):
        """Return (name, kind) of the columns that look personal."""
        types = {name: field.type for name, field in self._columns(model)}
        contactable = is_contactable(types)
        kinds = {
            name: personal_kind(name, field_type, contactable)
            for name, field_type in types.items()
        }
        return [(name, kind) for name, kind in kinds.items() if kind]

    # ------------------------------------------------------------
    # What hangs on what was found
    # ------------------------------------------------------------

    def _add_dependents(self, found, rules):
        """Add what hangs on rows that go: their lines, messages, files.

        A row that stays for others (a meeting, an order) keeps what hangs on it.
        """
        models_ = [
            name
            for name in self._searched_models()
            if name not in SEED_MODELS and not self.env[name]._transient
        ]
        self._add_pointers(found, models_)
        frontier = self._going(found, rules)
        seen = {}
        while frontier:
            for model_name, ids in frontier.items():
                seen.setdefault(model_name, set()).update(ids)
            for model_name in models_:
                model = self.env[model_name]
                terms = self._own_conditions(model, frontier)
                if not terms:
                    continue
                rows = self.env.execute_query(
                    SQL(
                        "SELECT t.id FROM %s t WHERE %s",
                        SQL.identifier(model._table),
                        self._any(terms),
                    )
                )
                found.setdefault((model_name, "own"), set()).update(
                    id_ for (id_,) in rows
                )
            self._add_message_files(found)
            frontier = {
                model_name: rest
                for model_name, ids in self._going(found, rules).items()
                if (rest := ids - seen.get(model_name, set()))
            }

    def _add_pointers(self, found, models_):
        """Add what points to a row that is the person: the messages of a chat guest."""
        identities = {
            model_name: ids
            for (model_name, scope), ids in found.items()
            if scope == "identity" and ids and not self.env[model_name]._transient
        }
        for model_name in models_:
            model = self.env[model_name]
            terms = self._link_conditions(model, identities)
            if not terms:
                continue
            rows = self.env.execute_query(
                SQL(
                    "SELECT t.id FROM %s t WHERE %s",
                    SQL.identifier(model._table),
                    self._any(terms),
                )
            )
            found.setdefault((model_name, "link"), set()).update(id_ for (id_,) in rows)

    def _going(self, found, rules):
        """Return model → ids of the rows that are deleted or blanked."""
        going = {}
        for (model_name, scope), ids in found.items():
            if model_name in SEED_MODELS or not ids or self.env[model_name]._transient:
                continue
            action = self._treatment(model_name, scope, rules)[0]
            if (
                action == "delete"
                and scope != "doubt"
                or (action == "anonymise" and scope in ("own", "identity"))
            ):
                going.setdefault(model_name, set()).update(ids)
        return going

    def _add_message_files(self, found):
        """Add the files of the person's messages."""
        messages = list(found.get(("mail.message", "own"), ()))
        rows = messages and self.env.execute_query(
            SQL(
                """
                SELECT attachment_id FROM message_attachment_rel
                 WHERE message_id = ANY(%s)
                """,
                messages,
            )
        )
        if rows:
            found.setdefault(("ir.attachment", "own"), set()).update(
                id_ for (id_,) in rows
            )

    # ------------------------------------------------------------
    # Files
    # ------------------------------------------------------------

    def _add_files(self, found, identifiers):
        """Add the files in which the person stands, each content read once."""
        sure, names = identifiers.compile_sure(), identifiers.compile_names()
        if not identifiers:
            return
        own = found.get(("ir.attachment", "own"), set())
        for ids, content in self._file_contents():
            ids = set(ids) - own
            scope = ids and content and _scope_of(content, sure, names)
            if scope:
                found.setdefault(("ir.attachment", scope), set()).update(ids)
        for model_name, column in self._byte_columns():
            for id_, content in self._byte_contents(model_name, column):
                if scope := _scope_of(content, sure, names):
                    found.setdefault((model_name, scope), set()).add(id_)

    def _file_contents(self):
        """Yield (attachment ids, content) of each different file with text in it."""
        groups = self.env.execute_query(
            SQL(
                """
                SELECT array_agg(id)
                  FROM ir_attachment
                 WHERE type = 'binary' AND file_size BETWEEN 1 AND %(most)s
                   AND NOT COALESCE(mimetype, '') LIKE ANY(%(silent)s)
                   AND COALESCE(url, '') NOT LIKE '/%%'
                   AND COALESCE(res_model, '') NOT IN ('ir.ui.view', 'ir.ui.menu')
              GROUP BY COALESCE(checksum, id::text)
                """,
                most=MAX_FILE,
                silent=[f"{start}%" for start in SILENT_TYPES],
            )
        )
        Attachment = self.env["ir.attachment"]
        for (ids,) in groups:
            attachment = Attachment.browse(ids[0])
            yield ids, attachment.raw
            attachment.invalidate_recordset()

    def _byte_columns(self):
        """Return (model, column) of files that Odoo keeps in their own column."""
        return [
            (model_name, name)
            for model_name in self._searched_models()
            for name, field in self._columns(self.env[model_name])
            if field.type == "binary" and model_name != "ir.attachment"
        ]

    def _byte_contents(self, model_name, column):
        self.env.cr.execute(
            SQL(
                "SELECT id, %s FROM %s WHERE octet_length(%s) BETWEEN 5 AND %s",
                SQL.identifier(column),
                SQL.identifier(self.env[model_name]._table),
                SQL.identifier(column),
                MAX_FILE,
            )
        )
        while rows := self.env.cr.fetchmany(CHUNK // 100):
            for id_, value in rows:
                yield id_, _decoded(bytes(value))


def _decoded(value):
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return value


def _scope_of(content, sure, names):
    """Return in which scope a file is found, "" when the person isn't in it."""
    try:
        text = documents.extract_text(content)
    except documents.UnreadableError as error:
        _logger.info("A file can't be searched for a person: %s", error)
        text = documents.decode(content)
    if sure and sure.search(text):
        return "text"
    return "doubt" if names and names.search(text) else ""
