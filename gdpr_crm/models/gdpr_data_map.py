from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.sql import escape_psql

from ..tools import redaction

# what the person is: everything else is found from here
SEED_MODELS = ("res.partner", "crm.lead", "res.users", "gdpr.subject")

# how the system is set up: a shared address there is the company's own, and a change
# would break it; and the subject itself, which becomes the suppression record
IGNORED_MODELS = {
    "base",
    "fetchmail.server",
    "gdpr.data.rule",
    "gdpr.deletion",
    "gdpr.subject",
    "ir.config_parameter",
    "ir.cron",
    "ir.mail_server",
    "ir.model",
    "ir.model.data",
    "ir.model.fields",
    "ir.module.category",
    "ir.module.module",
    "ir.ui.menu",
    "ir.ui.view",
    "mail.alias",
    "mail.alias.domain",
    "mail.template",
    "res.company",
    "res.groups",
}
AUDIT_FIELDS = {"create_uid", "write_uid"}

# rows of one model are handled in chunks of this size
CHUNK = 1000


class Located(NamedTuple):
    """Rows of one model that lead to a person, and what erasure does with them."""

    model: str
    scope: str  # own, link or text
    ids: tuple[int, ...]
    action: str
    ground: str
    until: object  # date until which they are kept, or False
    keeps_identity: bool = False


class GdprDataMap(models.AbstractModel):
    """Says where a person's data live and what may be done with them.

    One collector, :meth:`_locate`, feeds the preview, the export, the erasure and
    the search afterwards. It is built from the registry: whatever model is installed
    is searched by its relations, its model/id pairs and its texts. Addons change
    what is done by data (``gdpr.data.rule``) or by extending :meth:`_rules`.
    """

    _name = "gdpr.data.map"
    _description = "Personal Data Map"

    # ------------------------------------------------------------
    # Rules
    # ------------------------------------------------------------

    @api.model
    def _rules(self):
        """Return (model, scope) → rule; a scope of False holds for all scopes."""
        rules = {}
        for rule in self.env["gdpr.data.rule"].sudo().search([]):
            rules.setdefault((rule.model, rule.scope), rule)
        return rules

    @api.model
    def _default_action(self, scope):
        """Return (action, reason) for rows that no rule speaks of."""
        if scope == "own":
            return "delete", self.env._("It belongs to the person's record.")
        if scope == "link":
            return "detach", self.env._("It leads to an anonymous record then.")
        return "anonymise", self.env._("The person's identifiers are taken out.")

    def _located(self, model_name, scope, ids, rules):
        rule = rules.get((model_name, scope)) or rules.get((model_name, False))
        if not rule:
            action, ground = self._default_action(scope)
            return Located(model_name, scope, tuple(sorted(ids)), action, ground, False)
        until = rule.retention_months and fields.Date.to_string(
            fields.Date.context_today(self)
            + relativedelta(months=rule.retention_months)
        )
        return Located(
            model_name,
            scope,
            tuple(sorted(ids)),
            rule.action,
            rule.ground or rule.note or "",
            until,
            rule.keeps_identity,
        )

    # ------------------------------------------------------------
    # Locate
    # ------------------------------------------------------------

    @api.model
    def _locate(self, subject):
        """Find all rows that lead to this person, in every installed model.

        :param subject: one ``gdpr.subject``, or empty
        :return: list of :class:`Located`, the person's own records first
        """
        if not subject:
            return []
        self = self.sudo()  # a person's data are wherever they are
        self.env.flush_all()
        seeds = self._seeds(subject)
        found = {
            (model_name, "own"): set(ids)
            for model_name, ids in seeds.items()
            if ids and model_name != "gdpr.subject"
        }
        for model_name in self._searched_models():
            for scope, ids in self._search_model(model_name, seeds, subject).items():
                found.setdefault((model_name, scope), set()).update(ids)
        self._add_message_parts(found)
        self._remove_narrower(found)
        rules = self._rules()
        located = [
            self._located(model_name, scope, ids, rules)
            for (model_name, scope), ids in found.items()
            if ids
        ]
        return sorted(located, key=lambda entry: (entry.scope != "own", entry.scope))

    @api.model
    def _seeds(self, subject):
        """Return seed model → ids: the person's contacts, leads, users."""
        subject = subject.sudo().with_context(active_test=False)
        return {
            "gdpr.subject": subject.ids,
            "res.partner": subject.partner_ids.ids,
            "crm.lead": subject.lead_ids.ids,
            "res.users": subject.partner_ids.user_ids.ids,
        }

    @api.model
    def _searched_models(self):
        """Return the names of the models whose tables may hold personal data."""
        return [
            name
            for name, model in self.env.items()
            if model._auto
            and not model._abstract
            and not model._transient
            and name not in IGNORED_MODELS
            and model._table_query is None
        ]

    def _search_model(self, model_name, seeds, subject):
        """Return scope → ids of the rows of one model, in one query."""
        model = self.env[model_name]
        conditions = {
            "own": self._own_conditions(model, seeds),
            "link": self._link_conditions(model, seeds),
            "text": self._text_conditions(model, subject),
        }
        conditions = {
            scope: SQL("(%s)", SQL(" OR ").join(terms))
            for scope, terms in conditions.items()
            if terms
        }
        if not conditions:
            return {}
        rows = self.env.execute_query(
            SQL(
                "SELECT id, %s FROM %s WHERE %s",
                SQL(", ").join(
                    SQL("COALESCE(%s, FALSE)", term) for term in conditions.values()
                ),
                SQL.identifier(model._table),
                SQL(" OR ").join(conditions.values()),
            )
        )
        return {
            scope: {row[0] for row in rows if row[position]}
            for position, scope in enumerate(conditions, 1)
        }

    def _own_conditions(self, model, seeds):
        """Rows that hang on the person's records: they are nothing without them."""
        terms = []
        for name, field in self._columns(model):
            column = SQL.identifier(name)
            if field.type == "many2one" and field.ondelete == "cascade":
                if ids := seeds.get(field.comodel_name):
                    terms.append(SQL("%s = ANY(%s)", column, list(ids)))
            elif field.type == "many2one_reference":
                model_column = model._fields.get(field.model_field)
                if model_column and model_column.store:
                    terms += [
                        SQL(
                            "(%s = %s AND %s = ANY(%s))",
                            SQL.identifier(field.model_field),
                            seed,
                            column,
                            list(ids),
                        )
                        for seed, ids in seeds.items()
                        if ids
                    ]
            elif field.type == "reference":
                values = [f"{seed},{id_}" for seed, ids in seeds.items() for id_ in ids]
                terms.append(SQL("%s = ANY(%s)", column, values))
        return terms

    def _link_conditions(self, model, seeds):
        """Rows of their own that point to the person."""
        terms = []
        for name, field in model._fields.items():
            ids = seeds.get(field.comodel_name) if field.relational else None
            if not ids or not field.store or name in AUDIT_FIELDS:
                continue
            if field.type == "many2one" and field.ondelete != "cascade":
                if model._name not in seeds or name not in ("gdpr_subject_id",):
                    terms.append(SQL("%s = ANY(%s)", SQL.identifier(name), list(ids)))
            elif field.type == "many2many":
                terms.append(
                    SQL(
                        "id IN (SELECT %s FROM %s WHERE %s = ANY(%s))",
                        SQL.identifier(field.column1),
                        SQL.identifier(field.relation),
                        SQL.identifier(field.column2),
                        list(ids),
                    )
                )
        return terms

    def _text_conditions(self, model, subject):
        """Rows in whose texts the person's address stands, in any letter case."""
        if not subject.email:
            return []
        wanted = f"%{escape_psql(subject.email)}%"
        return [
            SQL("%s::text ILIKE %s", SQL.identifier(name), wanted)
            for name, _field in self._text_columns(model)
        ]

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

    def _add_message_parts(self, found):
        """Add what hangs on the person's messages: files, mails, tracked values."""
        messages = list(found.get(("mail.message", "own"), ()))
        if not messages:
            return
        attachments = self.env.execute_query(
            SQL(
                """
                SELECT attachment_id FROM message_attachment_rel
                 WHERE message_id = ANY(%s)
                """,
                messages,
            )
        )
        for model_name, rows in (
            ("ir.attachment", attachments),
            ("mail.mail", self._hanging_on("mail_mail", messages)),
            ("mail.tracking.value", self._hanging_on("mail_tracking_value", messages)),
            ("mail.notification", self._hanging_on("mail_notification", messages)),
        ):
            found.setdefault((model_name, "own"), set()).update(id_ for (id_,) in rows)

    def _hanging_on(self, table, messages):
        return self.env.execute_query(
            SQL(
                "SELECT id FROM %s WHERE mail_message_id = ANY(%s)",
                SQL.identifier(table),
                messages,
            )
        )

    @api.model
    def _remove_narrower(self, found):
        """Count each row once, in the widest scope that it was found in."""
        for model_name, scope in found:
            if scope != "own":
                found[model_name, scope] -= found.get((model_name, "own"), set())
            if scope == "text":
                found[model_name, scope] -= found.get((model_name, "link"), set())

    # ------------------------------------------------------------
    # Preview
    # ------------------------------------------------------------

    @api.model
    def _label(self, model_name):
        return self.env["ir.model"]._get(model_name).name or model_name

    @api.model
    def _plan(self, subject):
        """Return the preview of an erasure: counts, actions and reasons, no data.

        :return: list of dicts with model, label, scope, count, action, reason, until
        """
        return [
            {
                "model": entry.model,
                "label": self._label(entry.model),
                "scope": entry.scope,
                "count": len(entry.ids),
                "action": entry.action,
                "reason": entry.ground,
                "until": entry.until,
            }
            for entry in self._locate(subject)
        ]

    @api.model
    def _identifiers(self, subject):
        """Return the pattern of everything that identifies this person in a text."""
        subject = subject.sudo().with_context(active_test=False)
        partners, leads = subject.partner_ids, subject.lead_ids
        emails = {subject.email, *partners.mapped("email_normalized")}
        phones = {subject.phone, *partners.mapped("phone"), *leads.mapped("phone")}
        names = {*partners.mapped("name"), *leads.mapped("contact_name")}
        return redaction.compile_identifiers(
            sorted(filter(None, emails)),
            sorted(filter(None, phones)),
            sorted(filter(None, names)),
        )
