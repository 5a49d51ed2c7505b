from odoo import fields, models


class GdprQuarantine(models.Model):
    """An inbound text that was put aside because it holds sensitive data.

    The message isn't lost: a privacy officer reads it here, and the lead says so.
    """

    _name = "gdpr.quarantine"
    _description = "Quarantined Text"
    _order = "id desc"

    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(
        string="Record", model_field="res_model", readonly=True
    )
    categories = fields.Char(readonly=True)
    field_name = fields.Char(string="Field", readonly=True)
    text = fields.Text(readonly=True, groups="gdpr_crm.group_officer")
    company_id = fields.Many2one("res.company", readonly=True, required=True)

    def _compute_display_name(self):
        for item in self:
            item.display_name = self.env._("Quarantined text #%(id)s", id=item.id)
