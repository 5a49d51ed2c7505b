from typing import NamedTuple

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models

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

# how a row leads to a person, the widest first
SCOPES = ("own", "identity", "link", "text", "doubt")
AUDIT_TRAIL_MONTHS = 120

# rows of one model are handled in chunks of this size
CHUNK = 1000


class Located(NamedTuple):
    """Rows of one model that lead to a person, and what erasure does with them."""

    model: str
    scope: str  # one of SCOPES
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
        """Return (model, scope) → rule; a scope of False holds for all scopes.

        Of two the first in the list holds, and of those at the same place the newer:
        an officer's rule goes before the one that came with the addon.
        """
        rules = {}
        all_rules = self.env["gdpr.data.rule"].sudo().search([])
        for rule in all_rules.sorted(lambda rule: (rule.sequence, -rule.id)):
            rules.setdefault((rule.model, rule.scope), rule)
        return rules

    @api.model
    def _default_action(self, model_name, scope):
        """Return (action, reason) for rows that no rule speaks of."""
        if self.env[model_name]._transient:
            return "delete", self.env._("Left over from a dialog.")
        return {
            "own": ("delete", self.env._("It belongs to the person's record.")),
            "identity": (
                "anonymise",
                self.env._("It holds the person's address or number: blanked."),
            ),
            "link": ("detach", self.env._("It leads to an anonymous record then.")),
            "text": (
                "anonymise",
                self.env._("The person's identifiers are taken out."),
            ),
            "doubt": (
                "review",
                self.env._("Only the name is the same: an officer decides."),
            ),
        }[scope]

    def _treatment(self, model_name, scope, rules):
        """Return (action, reason, months, keeps identity) for rows of one model."""
        rule = rules.get((model_name, scope))
        if not rule and scope != "doubt":  # what is doubtful is never taken unasked
            rule = rules.get((model_name, False))
            if rule and scope == "text" and rule.action == "delete":
                rule = None  # others' rows aren't deleted for a mention
        if not rule:
            return (*self._default_action(model_name, scope), 0, False)
        return (
            rule.action,
            rule.ground or rule.note or "",
            rule.retention_months,
            rule.keeps_identity,
        )

    def _located(self, model_name, scope, ids, rules):
        action, ground, months, keeps_identity = self._treatment(
            model_name, scope, rules
        )
        until = months and fields.Date.to_string(
            fields.Date.context_today(self) + relativedelta(months=months)
        )
        return Located(
            model_name,
            scope,
            tuple(sorted(ids)),
            action,
            ground,
            until,
            keeps_identity,
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
        identifiers = self._identifiers(subject)
        found = {
            (model_name, "own"): set(ids)
            for model_name, ids in seeds.items()
            if ids and model_name != "gdpr.subject"
        }
        for model_name in self._searched_models():
            rows = self._search_model(model_name, seeds, identifiers)
            for scope, ids in rows.items():
                found.setdefault((model_name, scope), set()).update(ids)
        for model_name, ids in self._declared(subject, identifiers).items():
            found.setdefault((model_name, "own"), set()).update(ids)
        rules = self._rules()
        self._add_message_files(found)
        self._add_files(found, identifiers)
        self._remove_narrower(found)
        self._add_dependents(found, rules)
        self._remove_narrower(found)
        located = [
            self._located(model_name, scope, ids, rules)
            for (model_name, scope), ids in found.items()
            if ids
        ]
        located = self._protect_audit_trail(located)
        return sorted(
            located, key=lambda entry: (SCOPES.index(entry.scope), entry.model)
        )

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
        """Return the names of the models whose tables may hold personal data.

        Dialogs too: what somebody typed into one stays for hours.
        """
        return [
            name
            for name, model in self.env.items()
            if model._auto
            and not model._abstract
            and not (model._transient and name.startswith("gdpr."))
            and name not in IGNORED_MODELS
            and model._table_query is None
        ]

    @api.model
    def _declared(self, subject, identifiers):
        """Return model → ids that addons say are the person's (see ``base``)."""
        declared = {}
        for model_name in self._searched_models():
            ids = self.env[model_name]._gdpr_search(subject, identifiers)
            if ids:
                declared[model_name] = set(ids)
        return declared

    @api.model
    def _remove_narrower(self, found):
        """Count each row once, in the widest scope that it was found in."""
        for model_name in {model_name for model_name, _scope in found}:
            wider = set()
            for scope in SCOPES:
                if (model_name, scope) in found:
                    found[model_name, scope] -= wider
                    wider |= found[model_name, scope]

    @api.model
    def _protect_audit_trail(self, located):
        """Keep what Odoo's restricted audit trail forbids to change.

        Messages about accounting and what hangs on them neither may be deleted nor
        changed there; by SQL they could, but never in silence.
        """
        if "account_audit_log_restricted" not in self.env["mail.message"]._fields:
            return located
        protected = {}
        for entry in located:
            if entry.model != "mail.message":
                continue
            ids = self.env["mail.message"].search(
                [
                    ("id", "in", entry.ids),
                    ("account_audit_log_restricted", "=", True),
                ]
            )
            protected.setdefault("mail.message", set()).update(ids.ids)
        if not any(protected.values()):
            return located
        messages = self.env["mail.message"].browse(protected["mail.message"])
        protected["mail.tracking.value"] = set(messages.tracking_value_ids.ids)
        protected["ir.attachment"] = set(messages.attachment_ids.ids)
        return [
            part
            for entry in located
            for part in self._split_protected(entry, protected.get(entry.model))
        ]

    def _split_protected(self, entry, protected):
        kept = tuple(id_ for id_ in entry.ids if protected and id_ in protected)
        rest = tuple(id_ for id_ in entry.ids if not protected or id_ not in protected)
        if rest:
            yield entry._replace(ids=rest)
        if kept:
            yield entry._replace(
                ids=kept,
                action="keep",
                ground=self.env._("The accounts' audit trail may not be changed."),
                until=fields.Date.to_string(
                    fields.Date.context_today(self)
                    + relativedelta(months=AUDIT_TRAIL_MONTHS)
                ),
            )

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
