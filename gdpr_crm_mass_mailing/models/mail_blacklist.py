from odoo import api, models
from odoo.exceptions import UserError
from odoo.http import request

from ..person import PersonAct, acting, is_proven, is_silent


class MailBlacklist(models.Model):
    """An address on the blacklist is the person's objection to direct marketing."""

    _inherit = "mail.blacklist"

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered("active")._gdpr_follow_blacklist(objected=True)
        return lines

    def write(self, vals):
        if "active" not in vals:
            return super().write(vals)
        changed = self.filtered(lambda line: line.active != bool(vals["active"]))
        if not vals["active"]:
            changed._gdpr_check_removal()
        result = super().write(vals)
        changed._gdpr_follow_blacklist(objected=bool(vals["active"]))
        return result

    def _remove(self, email, message=None):
        """A stated reason records that the person asked for it."""
        if message and not acting(self.env) and not is_silent(self.env):
            self = self.with_context(gdpr_act=PersonAct("staff", {}))
        return super()._remove(email, message=message)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_objected(self):
        if not self.env.su:
            self._gdpr_check_removal()

    def _gdpr_follow_blacklist(self, objected):
        if not self or is_silent(self.env):
            return
        if objected:
            subjects = self.env["gdpr.subject"]._mailing_subjects_of(
                self.mapped("email")
            )
            subjects._object_to_marketing()
        elif is_proven(self.env):
            # only the person takes an objection back
            self._gdpr_objectors()._withdraw_objection()

    def _gdpr_objectors(self):
        """Return the subjects of these addresses who object to marketing."""
        return (
            self.env["gdpr.subject"]
            .sudo()  # whose objection it is, the user need not see
            .search([("email", "in", self.mapped("email")), ("objected", "=", True)])
        )

    def _gdpr_check_removal(self):
        """:raise UserError: when a user takes back another person's objection"""
        if not request or is_proven(self.env) or is_silent(self.env):
            return
        if self._gdpr_objectors():
            raise UserError(
                self.env._(
                    "This person objects to direct marketing, and only the person can "
                    "take that back (GDPR Art. 21(3)). Use Unblacklist and write in "
                    "the reason when and how the person asked for it."
                )
            )
