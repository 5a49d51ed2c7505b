from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GdprDataRule(models.Model):
    """What erasure does with the rows of one model that lead to a person (Art. 17).

    Without a rule, rows that hang on the person's records are deleted, rows that
    only point to them stay and lead to an anonymous record, and what identifies the
    person is taken out of texts on other records.
    """

    _name = "gdpr.data.rule"
    _description = "Personal Data Rule"
    _order = "sequence, id"

    name = fields.Char(string="Data", required=True, translate=True)
    model = fields.Char(
        required=True, index=True, help="Technical name, for instance crm.lead."
    )
    scope = fields.Selection(
        [
            ("own", "Rows about the person"),
            ("identity", "Rows that hold the person's address or number"),
            ("link", "Rows that point to the person"),
            ("text", "Rows that mention the person"),
            ("doubt", "Rows with the same name only"),
        ],
        help="Empty: the rule holds for all; but rows with the same name only wait for "
        "a decision, and none is deleted for a mention only.",
    )
    action = fields.Selection(
        [
            ("delete", "Delete"),
            ("anonymise", "Anonymise"),
            ("detach", "Leads to an anonymous record"),
            ("keep", "Keep"),
            ("review", "Decide by hand"),
        ],
        required=True,
    )
    ground = fields.Char(
        translate=True, help="The law that demands to keep, or the reason."
    )
    retention_months = fields.Integer(string="Keep for (months)")
    keeps_identity = fields.Boolean(
        string="Needs Name and Address",
        help="While such rows are kept, the contact keeps its name and postal address, "
        "archived and restricted.",
    )
    note = fields.Text(translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    @api.constrains("action", "ground")
    def _check_ground(self):
        for rule in self:
            if rule.action == "keep" and not (rule.ground or "").strip():
                raise ValidationError(
                    self.env._(
                        "“%(rule)s” keeps data: state the legal ground.", rule=rule.name
                    )
                )

    @api.model
    def _selection_action(self):
        return self._fields["action"]._description_selection(self.env)

    @api.model
    def _selection_scope(self):
        return self._fields["scope"]._description_selection(self.env)
