from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GdprException(models.Model):
    """A recorded Art. 9(2) ground: this record may hold this category's data."""

    _name = "gdpr.exception"
    _description = "Sensitive Data Exception"
    _inherit = ["mail.thread"]
    _order = "id desc"

    res_model = fields.Selection(
        [("res.partner", "Contact"), ("crm.lead", "Lead")],
        string="Record Type",
        required=True,
    )
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", required=True, index=True
    )
    record_name = fields.Char(compute="_compute_record_name")
    category = fields.Selection(
        [
            ("health", "health"),
            ("ethnic", "racial or ethnic origin"),
            ("political", "political opinions"),
            ("belief", "religious or philosophical beliefs"),
            ("union", "trade-union membership"),
            ("biometric", "biometric data"),
            ("genetic", "genetic data"),
            ("sexual", "sex life or sexual orientation"),
        ],
        required=True,
        tracking=True,
    )
    ground = fields.Selection(
        [
            ("explicit_consent", "Explicit consent (Art. 9(2)(a))"),
            ("non_profit", "Non-profit about its own members (Art. 9(2)(d))"),
            ("made_public", "Manifestly made public by the person (Art. 9(2)(e))"),
            ("legal_claims", "Legal claims (Art. 9(2)(f))"),
            ("health_professional", "Health professional (Art. 9(2)(h))"),
        ],
        required=True,
        tracking=True,
    )
    reason = fields.Text(
        required=True, help="Why the ground applies; no sensitive words."
    )
    valid_until = fields.Date(tracking=True, help="Empty: until it is archived.")
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company
    )

    @api.depends("res_model", "res_id")
    def _compute_record_name(self):
        for exception in self:
            record = exception.res_model and self.env[exception.res_model].browse(
                exception.res_id
            )
            exception.record_name = (
                record.exists().display_name if record and exception.res_id else False
            )

    @api.constrains("res_model", "res_id")
    def _check_record(self):
        for exception in self:
            if not self.env[exception.res_model].browse(exception.res_id).exists():
                raise ValidationError(self.env._("Choose an existing record."))

    @api.model
    def _allowed(self, model_name, ids):
        """Return record id → set of the categories that it may hold today."""
        today = fields.Date.context_today(self)
        exceptions = self.sudo().search(
            [
                ("res_model", "=", model_name),
                ("res_id", "in", ids),
                "|",
                ("valid_until", "=", False),
                ("valid_until", ">=", today),
            ]
        )
        allowed = {}
        for exception in exceptions:
            allowed.setdefault(exception.res_id, set()).add(exception.category)
        return allowed
