"""Legal deadlines in calendar months (GDPR Art. 12(3), Regulation 1182/71 Art. 3)."""

from collections.abc import Container
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

SATURDAY = 5


def add_months(received: date, months: int) -> date:
    """Return the day on which a period of ``months`` from ``received`` ends.

    The day of receipt isn't counted, so the period ends on the day of the same
    number, or on the month's last day where that number doesn't exist.

    >>> add_months(date(2026, 3, 5), 1)
    datetime.date(2026, 4, 5)
    >>> add_months(date(2027, 1, 31), 1), add_months(date(2028, 1, 31), 1)
    (datetime.date(2027, 2, 28), datetime.date(2028, 2, 29))
    """
    return received + relativedelta(months=months)


def next_working_day(day: date, holidays: Container[date] = ()) -> date:
    """Return ``day``, or the first working day after it.

    >>> next_working_day(date(2026, 11, 21))  # a Saturday
    datetime.date(2026, 11, 23)
    """
    while day.weekday() >= SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day


def due_date(received: date, months: int = 1, holidays: Container[date] = ()) -> date:
    """Return the last day for answering a request received on ``received``.

    :param months: 1, or 3 when it was extended (GDPR Art. 12(3))
    """
    return next_working_day(add_months(received, months), holidays)
