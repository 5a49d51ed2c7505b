from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GdprBasis(models.Model):
    """A lawful basis that an officer found for one person, with its reason (Art. 5(2)).

    It puts the person into the audience of a purpose that doesn't rest on consent:
    a consent is given by the person and by nobody else.
    """

    _name = "gdpr.basis"
    _description = "Recorded Lawful Basis"
    _order = "id desc"
    _rec_name = "subject_id"

    subject_id = fields.Many2one(
        "gdpr.subject", required=True, readonly=True, ondelete="cascade", index=True
    )
    purpose_id = fields.Many2one(
        "gdpr.purpose", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="purpose_id.company_id", store=True)
    lawful_basis = fields.Selection(related="purpose_id.lawful_basis")
    reason = fields.Text(required=True, readonly=True)
    active = fields.Boolean(
        default=True, help="Archive it when the basis no longer holds."
    )

    _one_per_purpose = models.Constraint(
        "UNIQUE(subject_id, purpose_id)",
        "There is one recorded basis a person and purpose.",
    )

    @api.constrains("purpose_id")
    def _check_purpose(self):
        if any(basis.lawful_basis == "consent" for basis in self):
            raise ValidationError(
                self.env._(
                    "A consent can't be recorded for somebody: ask the person. Choose "
                    "a purpose that rests on another lawful basis."
                )
            )


class GdprSubject(models.Model):
    _inherit = "gdpr.subject"

    basis_ids = fields.One2many(
        "gdpr.basis", "subject_id", string="Recorded Bases", readonly=True
    )
