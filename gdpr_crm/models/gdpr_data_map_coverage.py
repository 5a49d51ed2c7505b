from odoo import api, models

from .gdpr_data_map import AUDIT_FIELDS, IGNORED_MODELS, SCOPES, SEED_MODELS


class GdprDataMap(models.AbstractModel):
    _inherit = "gdpr.data.map"

    @api.model
    def _coverage(self):
        """Say of every model of this database how it is treated.

        :return: list of dicts: model, label, modules; ``leads``: how its rows lead to
            a person; ``personal``: columns that look personal; ``treatment``: scope →
            action; ``rules``: ids of the rules that hold; ``state``:

            * *rule*: somebody decided;
            * *default*: rows lead to a person, the default treatment applies;
            * *uncovered*: a column looks personal and no rule speaks of the model;
            * *nothing*: nothing leads to a person but a mention in a text;
            * *technical*: how Odoo is set up; not searched, see ``IGNORED_MODELS``.
        """
        rules = self._rules()
        searched = set(self._searched_models())
        return [
            self._coverage_of(model_name, rules, searched)
            for model_name, model in sorted(self.env.items())
            if model._auto and not model._abstract and not model._transient
        ]

    def _coverage_of(self, model_name, rules, searched):
        model = self.env[model_name]
        own = {
            rule.id
            for (rule_model, _scope), rule in rules.items()
            if rule_model == model_name
        }
        personal = [name for name, _kind in self._personal_columns(model)]
        leads = self._leads(model)
        if model_name in IGNORED_MODELS or model_name not in searched:
            state = "technical"
        elif own:
            state = "rule"
        elif personal:
            state = "uncovered"
        else:
            state = "default" if leads else "nothing"
        treatment = {}
        if state != "technical":
            treatment = {
                scope: self._treatment(model_name, scope, rules)[0]
                for scope in SCOPES
                if scope in ("identity", "text", "doubt") or leads
            }
        return {
            "model": model_name,
            "label": self._label(model_name),
            "modules": self.env["ir.model"]._get(model_name).modules or "",
            "leads": leads,
            "personal": personal,
            "treatment": treatment,
            "rules": sorted(own),
            "state": state,
        }

    def _leads(self, model):
        """Return the columns by which a row leads to a person's records."""
        names = [
            name
            for name, field in model._fields.items()
            if field.relational
            and field.comodel_name in SEED_MODELS
            and field.store
            and field.type != "one2many"
            and name not in AUDIT_FIELDS
        ]
        names += [
            f"{model_column}/{column}" for model_column, column in self._pairs(model)
        ]
        names += [
            name for name, field in self._columns(model) if field.type == "reference"
        ]
        return names
