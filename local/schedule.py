"""When a timer trigger is due: NCRONTAB expressions, as far as this project's tools need them.

Six fields: second, minute, hour, day, month, day of week (0 is Sunday). A field is `*`, a number,
a range `a-b`, each also with a step `/n`, or a list of these. Names (`Mon`, `Jan`), time spans and
`%SETTING%` are not understood. Unlike in Unix cron, day and day of week must both match.

Vendor: https://learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_FIELDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "day of week": (0, 6),
}
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)
_LEAP_YEAR = 2000


@dataclass(frozen=True, slots=True)
class Schedule:
    """The values that each field of an expression allows."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    days_of_week: frozenset[int]

    @classmethod
    def parse(cls, expression: str) -> "Schedule":
        """Raises ValueError if the expression is none, or names no date that exists."""
        texts = expression.split()
        if len(texts) != len(_FIELDS):
            raise ValueError(f"{expression!r} has {len(texts)} fields instead of {len(_FIELDS)}")
        schedule = cls(
            *(
                _values(name, text, *limits)
                for (name, limits), text in zip(_FIELDS.items(), texts, strict=True)
            )
        )
        longest = max(calendar.monthrange(_LEAP_YEAR, month)[1] for month in schedule.months)
        if min(schedule.days) > longest:
            raise ValueError(f"{expression!r} names a date that no year has")
        return schedule

    def after(self, moment: datetime) -> datetime:
        """The first due time after `moment`, in its time zone; a whole second.

        Clock changes are not looked at: use UTC.
        """
        due = moment.replace(microsecond=0) + timedelta(seconds=1)
        while True:
            if not self._has_day(due):
                due = due.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif due.hour not in self.hours:
                due = due.replace(minute=0, second=0) + timedelta(hours=1)
            elif due.minute not in self.minutes:
                due = due.replace(second=0) + timedelta(minutes=1)
            elif due.second not in self.seconds:
                due += timedelta(seconds=1)
            else:
                return due

    def _has_day(self, moment: datetime) -> bool:
        return (
            moment.month in self.months
            and moment.day in self.days
            and moment.isoweekday() % 7 in self.days_of_week
        )


def _values(name: str, text: str, lowest: int, highest: int) -> frozenset[int]:
    values: set[int] = set()
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if not found:
            raise ValueError(f"the {name} {text!r} is not understood")
        first, last, step = (None if group is None else int(group) for group in found.groups())
        if first is None:
            first, last = lowest, highest
        elif last is None:
            last = first if step is None else highest  # `5/15` is every 15, beginning with 5
        if not lowest <= first <= last <= highest or step == 0:
            raise ValueError(f"the {name} {text!r} is not within {lowest} to {highest}")
        values.update(range(first, last + 1, step or 1))
    return frozenset(values)
