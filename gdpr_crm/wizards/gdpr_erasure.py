from odoo import api, fields, models


class GdprErasure(models.TransientModel):
    _name = "gdpr.erasure"
    _inherit = "gdpr.request.starter"
    _description = "Erase Personal Data"

    _right = "erasure"

    line_ids = fields.One2many(
        "gdpr.erasure.line", "wizard_id", compute="_compute_line_ids", store=True
    )

    @api.depends("subject_id", "request_id")
    def _compute_line_ids(self):
        officer = self.env.user.has_group("gdpr_crm.group_officer")
        for wizard in self:
            lines = []
            if officer and wizard.subject_id:
                lines = wizard._frozen_lines() or wizard._preview_lines()
            wizard.line_ids = [fields.Command.create(line) for line in lines]

    def _frozen_lines(self):
        """Return the lines of the request's plan: what is shown is what is done."""
        return [
            {
                "label": line.label,
                "count": line.count,
                "action": line.action,
                "reason": line.reason or line.ground,
            }
            for line in self.request_id.plan_line_ids
        ]

    def _preview_lines(self):
        # the preview reaches what no single user sees; it shows counts only
        return [
            {
                "label": entry["label"],
                "count": entry["count"],
                "action": entry["action"],
                "reason": entry["reason"],
            }
            for entry in self.env["gdpr.data.map"].sudo()._plan(self.subject_id)
        ]

    def action_process(self):
        """Approve the plan that is shown, carry it out and show the request."""
        self.ensure_one()
        request = self._ensure_request()
        request._check_ready()
        if request.plan_line_ids and not request.plan_approved_on:
            request.action_approve_plan()
        difference = request.action_process()
        if difference:
            difference["params"]["next"] = self._open_request(request)
            return difference
        return self._open_request(request)


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
