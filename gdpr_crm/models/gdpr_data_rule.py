from odoo import fields, models


class GdprDataRule(models.Model):
    """What erasure does with the rows of one model that lead to a person."""

    _name = "gdpr.data.rule"
    _description = "Personal Data Rule"
    _order = "sequence, model"

    model = fields.Char(required=True, index=True)
    sequence = fields.Integer(default=10)
