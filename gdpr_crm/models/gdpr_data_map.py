from odoo import models


class GdprDataMap(models.AbstractModel):
    """Says where a person's data live and what may be done with them."""

    _name = "gdpr.data.map"
    _description = "Personal Data Map"
