from odoo import api, models


class CrmLead(models.Model):
    _name = "crm.lead"
    _inherit = ["gdpr.subject.mixin", "crm.lead"]

    @api.depends(
        "email_normalized",
        "phone_sanitized",
        "contact_name",
        "partner_id.gdpr_subject_id",
        "company_id",
    )
    def _compute_gdpr_subject_id(self):
        return super()._compute_gdpr_subject_id()

    def _gdpr_is_person(self):
        return self.filtered(
            lambda lead: not (lead.partner_id.is_company and not lead.contact_name)
        )

    def _gdpr_own_identity(self):
        return self.filtered("contact_name")

    def _gdpr_link_subjects(self):
        # a lead without an address of its own follows its customer
        followers = self.filtered(
            lambda lead: not lead.email_normalized and lead.partner_id.gdpr_subject_id
        )
        for lead in followers:
            lead.gdpr_subject_id = lead.partner_id.gdpr_subject_id
        return super(CrmLead, self - followers)._gdpr_link_subjects()

    def _merge_opportunity(
        self, user_id=False, team_id=False, auto_unlink=True, max_length=5
    ):
        subjects = self.gdpr_subject_id
        # merging and converting move text that is on file already
        lead = super(CrmLead, self._gdpr_with_known_text())._merge_opportunity(
            user_id=user_id,
            team_id=team_id,
            auto_unlink=auto_unlink,
            max_length=max_length,
        )
        if lead.gdpr_subject_id:
            # the no of the leads that disappear; a yes stays with its address
            for subject in subjects - lead.gdpr_subject_id:
                subject._carry_refusals_to(lead.gdpr_subject_id)
        return lead.with_env(self.env)

    def _create_customer(self, with_parent=None):
        partner = super(CrmLead, self._gdpr_with_known_text())._create_customer(
            with_parent=with_parent
        )
        return partner.with_env(self.env)

    def _prepare_customer_values(self, partner_name, is_company=False, parent_id=False):
        values = super()._prepare_customer_values(
            partner_name, is_company=is_company, parent_id=parent_id
        )
        # a person taken from a list stays one: they are informed all the same
        return values if is_company else values | self._gdpr_source_values()

    def _gdpr_untouched(self):
        """Return whether nobody worked on this lead since it came in."""
        self.ensure_one()
        worked = {"comment", "email", "email_outgoing"}
        return (
            self.active
            and self.won_status == "pending"
            and not self.partner_id
            and not self.activity_ids
            and not worked & set(self.message_ids.mapped("message_type"))
        )
