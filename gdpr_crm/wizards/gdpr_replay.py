import base64

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class GdprReplay(models.TransientModel):
    """After a backup is restored: bring the later erasures back and repeat them."""

    _name = "gdpr.replay"
    _description = "Repeat Erasures"

    restored_count = fields.Integer(
        string="Erased Persons Who Are Back", compute="_compute_restored_count"
    )
    file = fields.Binary(string="List of Erasures", attachment=False)
    file_name = fields.Char()
    export = fields.Binary(string="Exported List", readonly=True, attachment=False)
    export_name = fields.Char(default="erasures.jsonl", readonly=True)

    @api.depends("file")
    def _compute_restored_count(self):
        count = len(self.env["gdpr.subject"].sudo()._find_restored())
        for wizard in self:
            wizard.restored_count = count

    def _check_manager(self):
        if not self.env.user.has_group("gdpr_crm.group_manager"):
            raise AccessError(self.env._("Only a privacy manager may do this."))

    def action_export(self):
        """Offer the list of all erasures for download."""
        self._check_manager()
        text = self.env["gdpr.subject"]._export_suppressions()
        if not text:
            raise UserError(self.env._("Nobody was erased yet."))
        self.export = base64.b64encode(text.encode())
        return self._reopen()

    def action_import(self):
        """Take in the list in ``file``, else the journal of the configuration."""
        self._check_manager()
        Subject = self.env["gdpr.subject"].sudo()
        if self.file:
            try:
                text = base64.b64decode(self.file).decode()
            except ValueError as error:
                raise UserError(self.env._("This is no text file.")) from error
            Subject._import_suppressions(text)
        else:
            Subject._import_journal()
        self.file = False
        return self._reopen()

    def action_replay(self):
        """Erase everybody again whom a restored backup brought back."""
        self._check_manager()
        done, failed = self.env["gdpr.subject"].sudo()._replay_erasures()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if failed else "success",
                "sticky": bool(failed),
                "message": self.env._(
                    "%(done)s erasures repeated, %(failed)s wait for an officer.",
                    done=done,
                    failed=failed,
                ),
                "next": {"type": "ir.actions.act_window_close"},
            },
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
