from odoo import api, fields, models
from odoo.exceptions import UserError

# what a person may ask to have corrected, and its field on each model
RECTIFIABLE = {
    "name": {"res.partner": "name", "crm.lead": "contact_name"},
    "email": {"res.partner": "email", "crm.lead": "email_from"},
    "phone": {"res.partner": "phone", "crm.lead": "phone"},
    "function": {"res.partner": "function", "crm.lead": "function"},
    "street": {"res.partner": "street", "crm.lead": "street"},
    "street2": {"res.partner": "street2", "crm.lead": "street2"},
    "zip": {"res.partner": "zip", "crm.lead": "zip"},
    "city": {"res.partner": "city", "crm.lead": "city"},
}


class GdprRequestLine(models.Model):
    """One value that a person wants corrected (GDPR Art. 16)."""

    _name = "gdpr.request.line"
    _description = "Wanted Value"

    request_id = fields.Many2one("gdpr.request", required=True, ondelete="cascade")
    field_name = fields.Selection(
        [
            ("name", "Name"),
            ("email", "E-mail"),
            ("phone", "Phone"),
            ("function", "Job Position"),
            ("street", "Street"),
            ("street2", "Street 2"),
            ("zip", "ZIP"),
            ("city", "City"),
        ],
        string="Field",
        required=True,
    )
    old_value = fields.Char(compute="_compute_old_value", string="On File")
    new_value = fields.Char(string="Wanted", required=True)
    state = fields.Selection(
        [("wanted", "Wanted"), ("applied", "Applied"), ("rejected", "Rejected")],
        default="wanted",
        readonly=True,
        required=True,
    )

    @api.depends("field_name", "request_id.subject_id")
    def _compute_old_value(self):
        for line in self:
            values = {
                record[name]
                for record, name in line._targets()
                if line.field_name and record[name]
            }
            line.old_value = " / ".join(sorted(values))

    def _targets(self):
        """Return (record, field name) for each record that holds the value."""
        self.ensure_one()
        subject = self.request_id.subject_id.sudo()
        records = [*subject.with_context(active_test=False).partner_ids]
        records += [*subject.with_context(active_test=False).lead_ids]
        names = RECTIFIABLE.get(self.field_name, {})
        return [(record, names[record._name]) for record in records if names]

    def action_reject(self):
        """Leave the value as it is; the answer says so."""
        self.state = "rejected"

    def _apply(self):
        """Write the wanted values on every record of the person.

        :raise UserError: when the person isn't known
        """
        wanted = self.filtered(lambda line: line.state == "wanted")
        for line in wanted:
            targets = line._targets()
            if not targets:
                raise UserError(
                    self.env._("No record of this person is on file to correct.")
                )
            for record, name in targets:
                record[name] = line.new_value
        wanted.state = "applied"
