from odoo import fields, models


class GdprRefusal(models.TransientModel):
    """Refuse a request with its ground, reasons and remedies (GDPR Art. 12(4))."""

    _name = "gdpr.refusal"
    _description = "Refuse a Request"

    request_id = fields.Many2one("gdpr.request", required=True, readonly=True)
    ground = fields.Selection(
        selection=lambda self: (
            self.env["gdpr.request"]
            ._fields["refusal_ground"]
            ._description_selection(self.env)
        ),
        required=True,
    )
    reason = fields.Html(
        required=True,
        help="In words for the person. The right to complain to the supervisory "
        "authority and to go to court is added to the e-mail.",
    )

    def action_refuse(self):
        """Refuse the request and tell the person."""
        self.ensure_one()
        self.request_id.action_refuse(self.ground, self.reason)
        return {"type": "ir.actions.act_window_close"}
