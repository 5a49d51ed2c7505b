from odoo import api, fields, models
from odoo.exceptions import UserError


class GdprFindingResolution(models.TransientModel):
    """What shall become of these findings? Shows how many before anything is done."""

    _name = "gdpr.finding.resolution"
    _description = "Resolve Findings"

    finding_ids = fields.Many2many("gdpr.finding", required=True)
    count = fields.Integer(compute="_compute_count")
    record_count = fields.Integer(compute="_compute_count")
    action = fields.Selection(
        [
            ("mask", "Mask the words"),
            ("clear", "Empty the fields"),
            ("quarantine", "Put the texts aside for officers, mask the words"),
            ("false_alarm", "False alarm: never report these words again"),
            ("justify", "Record an exception (Art. 9(2))"),
        ],
        required=True,
        default="mask",
    )
    ground = fields.Selection(
        selection=lambda self: self.env["gdpr.exception"]._fields["ground"].selection
    )
    reason = fields.Text(help="Why the ground applies; no sensitive words.")
    valid_until = fields.Date()

    @api.depends("finding_ids")
    def _compute_count(self):
        for wizard in self:
            wizard.count = len(wizard._open())
            wizard.record_count = len({(f.res_model, f.res_id) for f in wizard._open()})

    def _open(self):
        return self.finding_ids.filtered(lambda finding: finding.state == "open")

    def action_resolve(self):
        """Carry out the choice."""
        self.ensure_one()
        findings = self._open()
        findings.check_access("read")
        if not findings:
            raise UserError(self.env._("These findings are closed already."))
        if self.action == "justify":
            if not (self.ground and (self.reason or "").strip()):
                raise UserError(self.env._("Choose the ground and say why it applies."))
            findings._justify(self.ground, self.reason, self.valid_until)
        else:
            {
                "mask": findings._mask,
                "clear": findings._clear,
                "quarantine": findings._quarantine,
                "false_alarm": findings._false_alarm,
            }[self.action]()
        return {"type": "ir.actions.act_window_close"}
