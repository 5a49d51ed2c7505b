from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_values(self, src_partners, dst_partner):
        # a merge moves text that is on file already
        return super()._update_values(src_partners, dst_partner._gdpr_with_known_text())

    def _merge(self, partner_ids, dst_partner=None, extra_checks=True):
        """Keep the no of the contacts that disappear; a yes stays with its address."""
        subjects = self.env["res.partner"].browse(partner_ids).exists().gdpr_subject_id
        result = super()._merge(partner_ids, dst_partner, extra_checks)
        left = self.env["res.partner"].browse(partner_ids).exists().gdpr_subject_id
        if len(left) == 1:
            for subject in subjects - left:
                subject._carry_refusals_to(left)
        return result
