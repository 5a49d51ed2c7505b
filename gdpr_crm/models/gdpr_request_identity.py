from odoo import api, fields, models
from odoo.exceptions import UserError


class GdprRequest(models.Model):
    """Who asks, and how sure that is (GDPR Art. 12(6), 8).

    A portal session or the control of the address is enough. More may be asked only
    on a reasonable doubt, which is recorded; the proof is deleted once it was checked.
    """

    _inherit = "gdpr.request"

    requester = fields.Selection(
        [
            ("self", "The person"),
            ("parent", "A parent for a child"),
            ("representative", "Somebody with a mandate"),
        ],
        required=True,
        default="self",
        tracking=True,
    )
    identity_state = fields.Selection(
        [
            ("enough", "No doubt"),
            ("asked", "Proof asked for"),
            ("verified", "Verified"),
        ],
        string="Identity",
        required=True,
        readonly=True,
        default="enough",
        copy=False,
        tracking=True,
    )
    identity_doubt = fields.Text(
        string="Reasonable Doubt",
        readonly=True,
        copy=False,
        groups="gdpr_crm.group_officer",
    )
    identity_proof_ids = fields.Many2many(
        "ir.attachment",
        "gdpr_request_identity_rel",
        string="Proof of Identity",
        copy=False,
        groups="gdpr_crm.group_officer",
        help="Deleted as soon as the identity is verified.",
    )
    identity_verified_on = fields.Datetime(readonly=True, copy=False)

    @api.model_create_multi
    def create(self, vals_list):
        requests = super().create(vals_list)
        for request in requests:
            if request.requester != "self":
                # somebody else's word is no proof of their mandate
                request.sudo()._schedule_officer(
                    self.env._("Check the mandate or parental authority"),
                    request.due_on,
                )
        return requests

    def action_open_identity(self):
        """Open the wizard that asks for a proof of identity."""
        return self._open_wizard("gdpr.identity")

    def _ask_identity(self, doubt):
        """Ask the person for a proof, on a doubt that is recorded.

        :param str doubt: why the usual evidence isn't enough here
        :raise UserError: without a reason, an address, or when it is closed
        """
        self.ensure_one()
        self._check_officer()
        if not (doubt or "").strip():
            raise UserError(
                self.env._(
                    "More may be asked only on a reasonable doubt (GDPR Art. 12(6)): "
                    "say which."
                )
            )
        if not self.is_open:
            raise UserError(self.env._("%(name)s is closed.", name=self.name))
        if not self.email:
            raise UserError(self.env._("No e-mail address is known to ask at."))
        self.write({"identity_state": "asked", "identity_doubt": doubt})
        self._send("gdpr_crm.mail_template_identity")

    def action_identity_verified(self):
        """Record that the identity is proven, and delete the proof."""
        for request in self:
            request._check_officer()
            request.identity_proof_ids.sudo().unlink()
            request.write(
                {
                    "identity_state": "verified",
                    "identity_verified_on": fields.Datetime.now(),
                }
            )

    def _check_ready(self):
        result = super()._check_ready()
        if self.identity_state == "asked":
            raise UserError(
                self.env._(
                    "A proof of identity was asked for and isn't verified yet. Verify "
                    "it, or refuse because the person can't be identified."
                )
            )
        return result
