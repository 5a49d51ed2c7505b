from odoo import fields, models


class GdprConfirmation(models.TransientModel):
    """An officer records the yes that a person gave on paper or by telephone."""

    _name = "gdpr.confirmation"
    _description = "Record a Confirmation"

    request_id = fields.Many2one("gdpr.request", required=True, readonly=True)
    right = fields.Selection(related="request_id.right")
    channel = fields.Selection(
        [
            ("paper", "On paper"),
            ("phone", "By telephone"),
            ("in_person", "In person"),
        ],
        required=True,
        default="paper",
    )
    evidence = fields.Text(
        required=True, help="Who confirmed what, when, and how you know who it was."
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Scanned Proof")

    def action_confirm(self):
        """Record the confirmation on the request."""
        self.ensure_one()
        self.request_id._confirm(
            channel=self.channel,
            evidence=self.evidence,
            attachments=self.attachment_ids,
        )
        # the proof belongs to the request, and follows its access rights
        self.attachment_ids.write(
            {"res_model": self.request_id._name, "res_id": self.request_id.id}
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": self.request_id._name,
            "res_id": self.request_id.id,
            "view_mode": "form",
        }
