from odoo import api, fields, models
from odoo.fields import Domain


class CrmLead(models.Model):
    _inherit = "crm.lead"

    # The form builder offers it as a field of boxes, one a purpose and none ticked.
    # It holds nothing: what a visitor ticks becomes consents.
    gdpr_purpose_ids = fields.Many2many(
        "gdpr.purpose",
        string="I Agree To",
        store=False,
        search="_search_gdpr_purpose_ids",
        domain=[("lawful_basis", "=", "consent")],
    )

    @api.model
    def _search_gdpr_purpose_ids(self, operator, value):
        given = Domain("state", "=", "given") & Domain("purpose_id", operator, value)
        return Domain("gdpr_subject_id.consent_ids", "any", given)
