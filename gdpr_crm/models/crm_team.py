from odoo import models


class CrmTeam(models.Model):
    _inherit = "crm.team"

    def _allocate_leads(self, creation_delta_days=7):
        # it deletes the duplicates which it merged: what they held lives on
        teams = self.env["gdpr.deletion"]._allow(self)
        result = super(CrmTeam, teams)._allocate_leads(
            creation_delta_days=creation_delta_days
        )
        return {team.with_env(self.env): data for team, data in result.items()}
