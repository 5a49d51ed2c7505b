from odoo import api, fields, models


class GdprErasure(models.TransientModel):
    _name = "gdpr.erasure"
    _inherit = "gdpr.request.starter"
    _description = "Erase Personal Data"

    _right = "erasure"

    line_ids = fields.One2many(
        "gdpr.erasure.line", "wizard_id", compute="_compute_line_ids", store=True
    )

    @api.depends("subject_id")
    def _compute_line_ids(self):
        officer = self.env.user.has_group("gdpr_crm.group_officer")
        for wizard in self:
            plan = []
            if officer and wizard.subject_id:
                # the preview reaches what no single user sees; it shows counts only
                plan = self.env["gdpr.data.map"].sudo()._plan(wizard.subject_id)
            wizard.line_ids = [
                fields.Command.create(
                    {
                        "label": entry["label"],
                        "count": entry["count"],
                        "action": entry["action"],
                        "reason": entry["reason"],
                    }
                )
                for entry in plan
            ]


class GdprErasureLine(models.TransientModel):
    _name = "gdpr.erasure.line"
    _description = "Line of an Erasure Preview"

    wizard_id = fields.Many2one("gdpr.erasure", required=True, ondelete="cascade")
    label = fields.Char(string="Data", readonly=True)
    count = fields.Integer(string="Records", readonly=True)
    action = fields.Selection(
        selection=lambda self: self.env["gdpr.data.rule"]._selection_action(),
        readonly=True,
    )
    reason = fields.Char(string="Why", readonly=True)
