from odoo import models


class PrivacyLookupWizard(models.TransientModel):
    _inherit = "privacy.lookup.wizard"

    def _get_query_models_blacklist(self):
        # no copies of the person's data that could be archived or deleted one by one
        return [
            *super()._get_query_models_blacklist(),
            "gdpr.subject",
            "gdpr.request",
        ]


class PrivacyLookupWizardLine(models.TransientModel):
    _inherit = "privacy.lookup.wizard.line"

    def action_unlink(self):
        # Odoo deletes as superuser here, past the person's confirmation
        model = self.env.get(self.res_model)
        is_person = model is not None and "gdpr_subject_id" in model._fields
        if is_person and not self.env.su:
            model.browse(self.res_id)._gdpr_refuse_deletion()
        return super().action_unlink()
