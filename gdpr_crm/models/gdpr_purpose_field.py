from odoo import api, fields, models


class GdprPurposeField(models.Model):
    """A piece of data that a purpose needs, and why (GDPR Art. 5(1)(c), 30(1)(c)).

    A collection form may ask for nothing else.
    """

    _name = "gdpr.purpose.field"
    _description = "Data of a Processing Purpose"
    _order = "sequence, id"
    _rec_name = "field_name"

    purpose_id = fields.Many2one(
        "gdpr.purpose", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="purpose_id.company_id", store=True)
    sequence = fields.Integer(default=10)
    field_name = fields.Selection(
        selection=lambda self: self.env["gdpr.form.field"]._selection_field_name(),
        string="Data",
        required=True,
    )
    reason = fields.Char(
        translate=True, help="Why the purpose needs it; proposed on each form."
    )

    _field_unique = models.Constraint(
        "UNIQUE(purpose_id, field_name)", "A purpose declares each piece of data once."
    )

    def write(self, vals):
        purposes = self.purpose_id
        result = super().write(vals)
        (purposes | self.purpose_id)._recheck_forms()
        return result

    def unlink(self):
        purposes = self.purpose_id
        result = super().unlink()
        purposes._recheck_forms()
        return result


class GdprPurpose(models.Model):
    _inherit = "gdpr.purpose"

    field_ids = fields.One2many(
        "gdpr.purpose.field",
        "purpose_id",
        string="Data on Forms",
        copy=True,
        help="What a collection form may ask for on behalf of this purpose.",
    )

    def _declared(self, field_name):
        """Return the declaration of a lead's field by this purpose, or empty."""
        return self.field_ids.filtered(lambda line: line.field_name == field_name)

    @api.model
    def _form_fields(self):
        """Return the fields of a purpose that a form's own check reads."""
        return {
            "active",
            "name",
            "description",
            "company_id",
            "lawful_basis",
            "balancing_test",
            "marketing",
            "double_opt_in",
        }

    def write(self, vals):
        result = super().write(vals)
        if self._form_fields() & vals.keys():
            self._recheck_forms()
        return result

    def _recheck_forms(self):
        """Take the published forms offline that comply no more."""
        # who edits a purpose answers for its forms, also those of other companies
        forms_sudo = (
            self.env["gdpr.form"]
            .sudo()
            .search(
                [
                    ("state", "=", "published"),
                    "|",
                    ("purpose_id", "in", self.ids),
                    ("purpose_ids", "in", self.ids),
                ]
            )
        )
        forms_sudo._recheck()


class GdprNotice(models.Model):
    _inherit = "gdpr.notice"

    def action_publish(self):
        result = super().action_publish()
        self.purpose_id._recheck_forms()
        return result
