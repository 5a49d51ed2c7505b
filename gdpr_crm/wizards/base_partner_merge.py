from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _update_values(self, src_partners, dst_partner):
        # a merge moves text that is on file already
        return super()._update_values(src_partners, dst_partner._gdpr_with_known_text())
