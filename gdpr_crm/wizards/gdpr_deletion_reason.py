from odoo import api, fields, models
from odoo.exceptions import UserError


class GdprDeletionReason(models.TransientModel):
    """An officer deletes records of persons for a documented reason."""

    _name = "gdpr.deletion.reason"
    _description = "Delete with a Reason"

    res_model = fields.Selection(
        [("res.partner", "Contacts"), ("crm.lead", "Leads")],
        required=True,
        readonly=True,
        default=lambda self: self.env.context.get("active_model"),
    )
    res_ids = fields.Json(
        readonly=True, default=lambda self: self.env.context.get("active_ids")
    )
    count = fields.Integer(compute="_compute_count")
    reason = fields.Selection(
        selection=lambda self: (
            self.env["gdpr.deletion"]._fields["reason"]._description_selection(self.env)
        ),
        required=True,
    )
    note = fields.Text(
        required=True, help="Without names: this text outlives the records."
    )

    @api.depends("res_ids")
    def _compute_count(self):
        for wizard in self:
            wizard.count = len(wizard.res_ids or [])

    def action_delete(self):
        """Delete the chosen records and document it."""
        self.ensure_one()
        records = self.env[self.res_model].browse(self.res_ids or []).exists()
        if not records:
            raise UserError(self.env._("Choose the records to delete first."))
        self.env["gdpr.deletion"]._delete(records, self.reason, self.note)
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "view_mode": "list,kanban,form",
            "views": [(False, "list"), (False, "kanban"), (False, "form")],
            "target": "main",
        }
