from odoo import api, fields, models

from ..models.gdpr_request import OPEN_STATES


class GdprRequestStarter(models.AbstractModel):
    """What the export and the erasure wizard share.

    Each goes on with the person's open request of its right, or starts one, and
    stops at the person's confirmation until that is on record.
    """

    _name = "gdpr.request.starter"
    _description = "Start a Request"

    _right = None  # the right that the wizard carries out

    subject_id = fields.Many2one("gdpr.subject", required=True, readonly=True)
    request_id = fields.Many2one(
        "gdpr.request", compute="_compute_request_id", store=True, readonly=False
    )
    email = fields.Char(related="subject_id.email")
    state = fields.Selection(related="request_id.state")
    confirmed_on = fields.Datetime(related="request_id.confirmed_on")
    asked_on = fields.Datetime(related="request_id.asked_on")
    can_process = fields.Boolean(compute="_compute_can_process")

    @api.depends("subject_id")
    def _compute_request_id(self):
        for wizard in self:
            wizard.request_id = wizard.request_id or self.env["gdpr.request"].search(
                [
                    ("subject_id", "=", wizard.subject_id.id),
                    ("right", "=", self._right),
                    ("state", "in", OPEN_STATES),
                ],
                limit=1,
            )

    @api.depends("request_id.confirmed_on")
    @api.depends_context("uid")
    def _compute_can_process(self):
        officer = self.env.user.has_group("gdpr_crm.group_officer")
        for wizard in self:
            wizard.can_process = officer and bool(wizard.confirmed_on)

    def action_ask_confirmation(self):
        """Start the request if needed and send the person the confirmation link."""
        self._ensure_request().action_ask_confirmation()
        return self._reopen()

    def action_record_confirmation(self):
        """Start the request if needed and record a confirmation given otherwise."""
        return self._ensure_request().action_record_confirmation()

    def action_process(self):
        """Carry the confirmed request out and show it."""
        self.ensure_one()
        request = self._ensure_request()
        request.action_process()
        return self._open_request(request)

    def _ensure_request(self):
        self.ensure_one()
        if not self.request_id:
            self.request_id = self.env["gdpr.request"].create(
                {"right": self._right, "subject_id": self.subject_id.id}
            )
        return self.request_id

    def _open_request(self, request):
        return {
            "type": "ir.actions.act_window",
            "res_model": request._name,
            "res_id": request.id,
            "view_mode": "form",
        }

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "name": self._description,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }
