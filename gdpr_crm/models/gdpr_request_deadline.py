from datetime import datetime, time, timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..tools import deadline

MAX_EXTENSION = 2  # months, on top of the first (GDPR Art. 12(3))
ESCALATE_DAYS = 2


class GdprRequest(models.Model):
    """The legal period: extension, public holidays, escalation (GDPR Art. 12(3))."""

    _inherit = "gdpr.request"

    extension_months = fields.Integer(
        string="Extended by (months)", readonly=True, copy=False, tracking=True
    )
    extension_reason = fields.Text(readonly=True, copy=False)
    extended_on = fields.Datetime(
        readonly=True, copy=False, help="When the person was told."
    )
    escalated_on = fields.Datetime(readonly=True, copy=False)

    @api.depends("received_on", "extension_months", "company_id")
    def _compute_due_on(self):
        holidays = self._holidays()
        for request in self:
            request.due_on = deadline.due_date(
                request._received_day(), 1 + request.extension_months, holidays
            )

    def _received_day(self):
        return fields.Datetime.context_timestamp(self, self.received_on).date()

    def _holidays(self):
        """Return the public holidays that the companies keep in their calendars."""
        days = [r._received_day() for r in self if r.received_on]
        if not days:
            return frozenset()
        first, last = min(days), deadline.add_months(max(days), 4)
        # everybody's requests follow the calendar, not who may read it
        leaves = (
            self.env["resource.calendar.leaves"]
            .sudo()
            .search(
                [
                    ("resource_id", "=", False),
                    ("company_id", "in", [False, *self.company_id.ids]),
                    ("date_from", "<=", datetime.combine(last, time.max)),
                    ("date_to", ">=", datetime.combine(first, time.min)),
                ]
            )
        )
        holidays = set()
        for leave in leaves:
            day = fields.Datetime.context_timestamp(self, leave.date_from).date()
            end = fields.Datetime.context_timestamp(self, leave.date_to).date()
            while day <= end:
                holidays.add(day)
                day += timedelta(days=1)
        return holidays

    def action_open_extension(self):
        """Open the wizard that extends the period with reasons."""
        return self._open_wizard("gdpr.extension")

    def _extend(self, months, reason):
        """Extend the period and tell the person why.

        :param int months: one or two
        :param str reason: in words for the person: complexity or number of requests
        :raise UserError: when it was extended before, the first month is over, or the
            person can't be told
        """
        self.ensure_one()
        self._check_officer()
        if not self.is_open:
            raise UserError(self.env._("%(name)s is closed.", name=self.name))
        if self.extension_months:
            raise UserError(self.env._("The period can be extended only once."))
        if not 1 <= months <= MAX_EXTENSION:
            raise UserError(
                self.env._("The law allows two more months at most (GDPR Art. 12(3)).")
            )
        if not (reason or "").strip():
            raise UserError(self.env._("The person is told the reasons: state them."))
        if fields.Date.context_today(self) > self.due_on:
            raise UserError(
                self.env._(
                    "The first month is over: the period can't be extended any more. "
                    "Answer now."
                )
            )
        self.write(
            {
                "extension_months": months,
                "extension_reason": reason,
                "extended_on": fields.Datetime.now(),
            }
        )
        self._send("gdpr_crm.mail_template_extended")

    @api.model
    def _cron_follow_up(self, limit=100):
        result = super()._cron_follow_up(limit=limit)
        soon = fields.Date.context_today(self) + timedelta(days=ESCALATE_DAYS)
        self._follow_up(
            [
                ("is_open", "=", True),
                ("due_on", "<=", soon),
                ("escalated_on", "=", False),
            ],
            lambda request: request._escalate(),
            limit,
        )
        return result

    def _escalate(self):
        """Tell the privacy managers, once, that a deadline is about to be missed."""
        self.ensure_one()
        managers = self.env.ref("gdpr_crm.group_manager").all_user_ids.filtered(
            lambda user: (
                user.active and not user.share and self.company_id in user.company_ids
            )
        )
        self.message_notify(
            partner_ids=managers.partner_id.ids,
            subject=self.env._("%(name)s is due", name=self.name),
            body=self.env._(
                "The legal period of this request ends on %(date)s and it isn't "
                "answered yet.",
                date=self.due_on,
            ),
        )
        self.escalated_on = fields.Datetime.now()
