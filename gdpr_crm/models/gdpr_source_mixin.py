from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import deadline

PERSON = "person"


class GdprSourceMixin(models.AbstractModel):
    """Where a record's data came from, and whether the person was told (Art. 14).

    Data that don't come from the person oblige to inform them within a month at
    most. A file import marks its records as such; what the person sends by form or
    mail doesn't.
    """

    _name = "gdpr.source.mixin"
    _description = "Source of Personal Data"

    gdpr_source = fields.Selection(
        [
            (PERSON, "The person"),
            ("import", "File import"),
            ("purchase", "Bought or rented list"),
            ("enrichment", "Data enrichment"),
            ("register", "Public register or web site"),
            ("partner", "Business partner"),
            ("other", "Another source"),
        ],
        string="Source of the Data",
        default=lambda self: self._gdpr_import_default("import"),
        help="Data from anybody but the person: the person is informed within a month "
        "(GDPR Art. 14).",
    )
    gdpr_source_note = fields.Char(
        string="Source, in Words", help="Named in the notice: who gave us the data."
    )
    gdpr_collected_on = fields.Date(
        string="Obtained on",
        default=lambda self: self._gdpr_import_default(fields.Date.today()),
        help="The month for informing the person runs from here; when empty, from the "
        "day the record was made.",
    )
    gdpr_informed_on = fields.Date(
        string="Informed on", copy=False, help="When the Art. 14 notice was sent."
    )
    gdpr_inform_by = fields.Date(string="Inform by", compute="_compute_gdpr_inform_by")
    gdpr_inform_overdue = fields.Boolean(
        string="Art. 14 Notice Overdue",
        compute="_compute_gdpr_inform_by",
        search="_search_gdpr_inform_overdue",
    )

    @api.model
    def _gdpr_import_default(self, value):
        return value if self.env.context.get("import_file") else False

    @api.depends("gdpr_source", "gdpr_collected_on", "gdpr_informed_on")
    def _compute_gdpr_inform_by(self):
        today = fields.Date.context_today(self)
        for record in self:
            obtained = record.gdpr_collected_on or (
                record.create_date and record.create_date.date()
            )
            waiting = (
                record.gdpr_source
                and record.gdpr_source != PERSON
                and not record.gdpr_informed_on
                and obtained
            )
            record.gdpr_inform_by = waiting and deadline.due_date(obtained)
            record.gdpr_inform_overdue = bool(waiting) and record.gdpr_inform_by < today

    def _search_gdpr_inform_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        overdue = self._gdpr_overdue_domain()
        if set(value) == {True}:
            return overdue
        return ~overdue if set(value) == {False} else NotImplemented

    @api.model
    def _gdpr_overdue_domain(self):
        """Return the domain of the records whose person should have been told."""
        last = self._gdpr_last_overdue_day()
        made = fields.Datetime.to_datetime(last + timedelta(days=1))
        return (
            Domain("gdpr_source", "not in", (False, PERSON))
            & Domain("gdpr_informed_on", "=", False)
            & (
                Domain("gdpr_collected_on", "<=", last)
                | (
                    Domain("gdpr_collected_on", "=", False)
                    & Domain("create_date", "<", made)
                )
            )
        )

    @api.model
    def _gdpr_last_overdue_day(self):
        """Return the latest day of collection whose month is over by today."""
        today = fields.Date.context_today(self)
        day = today - timedelta(days=28)
        while deadline.due_date(day) >= today:
            day -= timedelta(days=1)
        return day

    def _gdpr_source_values(self):
        """Return the values that go along when a lead becomes a customer."""
        self.ensure_one()
        names = (
            "gdpr_source",
            "gdpr_source_note",
            "gdpr_collected_on",
            "gdpr_informed_on",
        )
        return {name: self[name] for name in names if self[name]}
