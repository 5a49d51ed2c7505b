from odoo import api, models


class ResPartner(models.Model):
    _name = "res.partner"
    _inherit = ["gdpr.subject.mixin", "res.partner"]

    @api.depends(
        "email_normalized", "phone_sanitized", "is_company", "parent_id", "company_id"
    )
    def _compute_gdpr_subject_id(self):
        return super()._compute_gdpr_subject_id()

    def _gdpr_is_person(self):
        # an address of a company (invoice, delivery) is no person of its own
        return self.filtered(
            lambda partner: (
                not partner.is_company
                and (partner.type == "contact" or not partner.parent_id)
            )
        )

    def _gdpr_own_identity(self):
        return self

    def _gdpr_identifying_phone(self):
        # a company's switchboard tells nobody apart
        phone = super()._gdpr_identifying_phone()
        return phone if phone != self.parent_id.phone_sanitized else False
