from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from ..tools.sensitive import detector, notation


class GdprSensitiveTerm(models.Model):
    """A term that this company adds to the detector's knowledge, or allows."""

    _name = "gdpr.sensitive.term"
    _description = "Own Term"
    _order = "id desc"
    _rec_name = "pattern"

    pattern = fields.Char(
        required=True,
        help="One or more words; (x) is optional, {a|b} means either, * at the end of "
        "a word any ending.",
    )
    action = fields.Selection(
        [
            ("block", "Block"),
            ("review", "Report to the officers"),
            ("allow", "Allow"),
        ],
        required=True,
        default="block",
    )
    category = fields.Selection(
        selection=lambda self: self.env["gdpr.exception"]._fields["category"].selection,
        help="Needed unless the term is allowed.",
    )

    @api.constrains("pattern", "action", "category")
    def _check_pattern(self):
        for term in self:
            if term.action != "allow" and not term.category:
                raise ValidationError(self.env._("Choose the category of the term."))
            try:
                term._check_notation()
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "This pattern can't be read: use words, (x) for optional "
                        "letters, {a|b} for alternatives and * at the end of a word."
                    )
                ) from error

    def _check_notation(self):
        self.ensure_one()
        # the word classes belong to the shipped files
        if "<" in self.pattern or notation.problems(self.pattern):
            raise notation.PatternError(self.pattern)

    def _arguments(self):
        """Return ``extra`` and ``allow`` as the detector takes them."""
        return (
            [(t.pattern, t.category, t.action) for t in self if t.action != "allow"],
            [t.pattern for t in self if t.action == "allow"],
        )

    @api.model
    @tools.ormcache()
    def _detector(self):
        """Return the detector with this database's own terms."""
        terms = self.sudo().search([])
        if not terms:
            return detector.default()
        return detector.Detector(*terms._arguments())

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()


class GdprSensitivePolicy(models.Model):
    """What a company does about one category: block (default), report or nothing."""

    _name = "gdpr.sensitive.policy"
    _description = "Category Policy"
    _order = "category"
    _rec_name = "category"

    category = fields.Selection(
        selection=lambda self: self.env["gdpr.exception"]._fields["category"].selection,
        required=True,
    )
    action = fields.Selection(
        [
            ("review", "Report to the officers, stop nobody"),
            ("off", "Don't look for it"),
        ],
        required=True,
        default="review",
    )
    reason = fields.Text(
        required=True,
        help="Why, e.g. a union that keeps its own members (GDPR Art. 9(2)(d)).",
    )
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )

    _category_unique = models.Constraint(
        "UNIQUE(category, company_id)", "There is one policy a category and company."
    )

    @api.model
    @tools.ormcache("company_id")
    def _actions(self, company_id):
        policies = self.sudo().search([("company_id", "=", company_id)])
        return {policy.category: policy.action for policy in policies}

    @api.model
    def _apply(self, findings):
        """Return the findings as the current company wants them."""
        actions = self._actions(self.env.company.id)
        if not actions:
            return findings
        kept = []
        for finding in findings:
            action = actions.get(finding.category)
            if action == "review":
                kept.append(finding._replace(level="review"))
            elif action != "off":
                kept.append(finding)
        return kept

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()


class GdprSensitiveExemption(models.Model):
    """A field that the detector doesn't look at, with the reason."""

    _name = "gdpr.sensitive.exemption"
    _description = "Exempted Field"
    _order = "id desc"
    _rec_name = "field_id"

    field_id = fields.Many2one(
        "ir.model.fields",
        required=True,
        ondelete="cascade",
        domain=[
            ("model", "in", ("res.partner", "crm.lead")),
            ("ttype", "in", ("char", "text", "html")),
            ("store", "=", True),
        ],
    )
    reason = fields.Text(required=True)

    _field_unique = models.Constraint(
        "UNIQUE(field_id)", "This field is exempted already."
    )

    @api.model
    @tools.ormcache("model_name")
    def _names(self, model_name):
        exempted = self.sudo().search([("field_id.model", "=", model_name)])
        return frozenset(exempted.field_id.mapped("name"))

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()
