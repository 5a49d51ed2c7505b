from odoo import api, models
from odoo.exceptions import ValidationError

try:
    from ..tools.sensitive import detector
except ImportError:
    detector = None

# the detector's logical kinds of the fields that need special treatment; any
# other text field counts as a comment
FIELD_KINDS = {
    "res.partner": {
        "name": "name",
        "complete_name": "name",
        "street": "street",
        "street2": "street",
        "city": "city",
        "zip": "zip",
        "email": "email",
        "phone": "phone",
        "website": "website",
        "vat": "vat",
        "company_name": "company_name",
        "function": "function",
    },
    "crm.lead": {
        "name": "lead_name",
        "contact_name": "name",
        "partner_name": "company_name",
        "street": "street",
        "street2": "street",
        "city": "city",
        "zip": "zip",
        "email_from": "email",
        "email_cc": "email",
        "phone": "phone",
        "website": "website",
        "function": "function",
    },
}
TAG_FIELDS = {"res.partner": "category_id", "crm.lead": "tag_ids"}


class GdprSensitiveMixin(models.AbstractModel):
    """Keeps special-category data (GDPR Art. 9(1)) out of a model's texts.

    Only what a call changes is looked at. A user gets an error that names the field
    and the category, never the words; an inbound e-mail is put aside instead
    (:meth:`_gdpr_quarantine`), so that nothing is lost.
    """

    _name = "gdpr.sensitive.mixin"
    _description = "Sensitive Data Mixin"

    @api.model
    def _gdpr_categories(self):
        return [
            ("health", self.env._("health")),
            ("ethnic", self.env._("racial or ethnic origin")),
            ("political", self.env._("political opinions")),
            ("belief", self.env._("religious or philosophical beliefs")),
            ("union", self.env._("trade-union membership")),
            ("biometric", self.env._("biometric data")),
            ("genetic", self.env._("genetic data")),
            ("sexual", self.env._("sex life or sexual orientation")),
        ]
