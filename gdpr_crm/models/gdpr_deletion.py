from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError


class GdprDeletion(models.Model):
    """A privacy officer's documented deletion: why, what and how many, not who."""

    _name = "gdpr.deletion"
    _description = "Documented Deletion"
    _order = "id desc"

    _DELETION_KEY = object()  # only this model may let a deletion pass

    reason = fields.Selection(
        [
            ("duplicate", "Duplicate"),
            ("test", "Test record"),
            ("retention", "End of the retention period"),
        ],
        required=True,
        readonly=True,
    )
    note = fields.Text(required=True, readonly=True)
    res_model = fields.Char(string="Model", required=True, readonly=True)
    res_ids = fields.Char(string="Record Ids", readonly=True)
    count = fields.Integer(readonly=True)
    company_id = fields.Many2one(
        "res.company",
        required=True,
        readonly=True,
        default=lambda self: self.env.company,
    )

    def _compute_display_name(self):
        labels = dict(self._fields["reason"]._description_selection(self.env))
        for deletion in self:
            deletion.display_name = f"{labels[deletion.reason]} #{deletion.id}"

    @api.model
    def _allow(self, records):
        """Return ``records`` so that they may be deleted: documented, or merged."""
        return records.with_context(gdpr_deletion=self._DELETION_KEY)

    @api.model
    def _is_allowed(self, records):
        return records.env.context.get("gdpr_deletion") is self._DELETION_KEY

    @api.model
    def _delete(self, records, reason, note):
        """Delete ``records`` for a documented reason.

        :param records: partners or leads
        :param str reason: duplicate, test or retention
        :param str note: what the officer states
        :return: the ``gdpr.deletion`` that documents it
        :raise AccessError: when the user is no privacy officer
        """
        if not self.env.user.has_group("gdpr_crm.group_officer"):
            raise AccessError(
                self.env._("Only a privacy officer deletes with a documented reason.")
            )
        if not (note or "").strip():
            raise UserError(self.env._("State the reason in a few words."))
        # the officer has no right to create entries by hand
        deletion = self.sudo().create(
            {
                "reason": reason,
                "note": note,
                "res_model": records._name,
                "res_ids": ",".join(map(str, records.ids)),
                "count": len(records),
            }
        )
        self._allow(records).unlink()
        return deletion.with_env(self.env)
