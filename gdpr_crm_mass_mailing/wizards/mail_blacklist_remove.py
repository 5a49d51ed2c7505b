from odoo import models

from ..person import PersonAct


class MailBlacklistRemove(models.TransientModel):
    _inherit = "mail.blacklist.remove"

    def action_unblacklist_apply(self):
        """A stated reason records that the person asked for it; without, no removal."""
        wizard = self
        if (self.reason or "").strip():
            wizard = self.with_context(gdpr_act=PersonAct("staff", {}))
        return super(MailBlacklistRemove, wizard).action_unblacklist_apply()
