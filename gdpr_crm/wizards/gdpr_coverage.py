from odoo import api, fields, models


class GdprCoverage(models.TransientModel):
    """How a model of this database is treated; made anew each time it is looked at."""

    _name = "gdpr.coverage"
    _description = "Coverage of Personal Data"
    _order = "state, model"
    _rec_name = "label"

    model = fields.Char(readonly=True)
    label = fields.Char(string="Data", readonly=True)
    modules = fields.Char(string="Apps", readonly=True)
    leads = fields.Char(
        string="Leads to a Person by", readonly=True, help="Columns of the model."
    )
    personal = fields.Char(
        string="Look Personal", readonly=True, help="Columns, judged by their names."
    )
    treatment = fields.Char(readonly=True, help="What erasure does, by kind of row.")
    rule_ids = fields.Many2many("gdpr.data.rule", string="Rules", readonly=True)
    # in the order in which an officer has to look at them
    state = fields.Selection(
        [
            ("a_uncovered", "No Rule"),
            ("b_rule", "By Rule"),
            ("c_default", "By Default"),
            ("d_nothing", "Mentions Only"),
            ("e_technical", "Settings of Odoo"),
        ],
        readonly=True,
    )

    @api.model
    def action_open(self):
        """Look the database up and show the result."""
        self.env["gdpr.data.rule"].check_access("read")
        states = {
            key.partition("_")[2]: key
            for key, _label in self._fields["state"].selection
        }
        Rule = self.env["gdpr.data.rule"]
        scopes = dict(Rule._selection_scope())
        actions = dict(Rule._selection_action())
        rows = self.create(
            [
                {
                    "model": row["model"],
                    "label": row["label"],
                    "modules": row["modules"],
                    "leads": ", ".join(row["leads"]),
                    "personal": ", ".join(row["personal"]),
                    "treatment": "; ".join(
                        f"{scopes[scope]}: {actions[action]}"
                        for scope, action in row["treatment"].items()
                    ),
                    "rule_ids": [fields.Command.set(row["rules"])],
                    "state": states[row["state"]],
                }
                # counts nothing and reads no row, only the registry
                for row in self.env["gdpr.data.map"].sudo()._coverage()
            ]
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "name": self.env._("Coverage"),
            "view_mode": "list",
            "domain": [("id", "in", rows.ids)],
            "context": {"search_default_group_state": 1},
        }

    def action_add_rule(self):
        """Open a new rule for this model."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "gdpr.data.rule",
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_model": self.model,
                "default_name": self.label,
                "default_action": "anonymise",
            },
        }
