from odoo import models


class GdprExport(models.TransientModel):
    _name = "gdpr.export"
    _inherit = "gdpr.request.starter"
    _description = "Export Personal Data"

    _right = "access"
