"""When a timer trigger is due. Examples: the vendor's table of NCRONTAB expressions."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.schedule import Schedule


def due(expression: str, after: str, times: int = 3) -> list[str]:
    """The next due times after a moment."""
    schedule = Schedule.parse(expression)
    moments = [datetime.fromisoformat(after).replace(tzinfo=UTC)]
    for _ in range(times):
        moments.append(schedule.after(moments[-1]))
    return [f"{moment:%Y-%m-%d %H:%M:%S}" for moment in moments[1:]]


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("0 */15 * * * *", "2026-08-01 12:07:09.5", ["12:15:00", "12:30:00", "12:45:00"]),
        ("0 */5 * * * *", "2026-08-01 12:54:59", ["12:55:00", "13:00:00", "13:05:00"]),
        ("0 0 * * * *", "2026-08-01 12:00:00", ["13:00:00", "14:00:00", "15:00:00"]),
        ("0 0 */2 * * *", "2026-08-01 12:00:00", ["14:00:00", "16:00:00", "18:00:00"]),
        ("0 0 9-17 * * *", "2026-08-01 08:00:00", ["09:00:00", "10:00:00", "11:00:00"]),
        ("* * * * * *", "2026-08-01 12:00:58.9", ["12:00:59", "12:01:00", "12:01:01"]),
        ("5,8,10 * * * * *", "2026-08-01 12:00:05", ["12:00:08", "12:00:10", "12:01:05"]),
        ("40/15 * * * * *", "2026-08-01 12:00:00", ["12:00:40", "12:00:55", "12:01:40"]),
        ("10-20/5 * * * * *", "2026-08-01 12:00:10", ["12:00:15", "12:00:20", "12:01:10"]),
    ],
)
def test_times_of_one_day(expression: str, after: str, expected: list[str]) -> None:
    assert due(expression, after) == [f"2026-08-01 {time}" for time in expected]


@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        # 2026-08-01 is a Saturday.
        ("0 30 9 * * *", "2026-08-01 09:30:00", ["08-02", "08-03", "08-04"]),
        ("0 30 9 * * 1-5", "2026-07-30 12:00:00", ["07-31", "08-03", "08-04"]),
        ("0 30 9 * * 0,6", "2026-07-30 12:00:00", ["08-01", "08-02", "08-08"]),
        ("0 30 9 31 * *", "2026-08-01 12:00:00", ["08-31", "10-31", "12-31"]),
        ("0 30 9 * 9-12/3 1", "2026-09-27 12:00:00", ["09-28", "12-07", "12-14"]),
        # Both must match: Fridays that are a 13th.
        ("0 30 9 13 * 5", "2026-01-01 00:00:00", ["02-13", "03-13", "11-13"]),
    ],
)
def test_days_of_one_year(expression: str, after: str, expected: list[str]) -> None:
    assert due(expression, after) == [f"2026-{day} 09:30:00" for day in expected]


def test_a_leap_day_is_waited_for() -> None:
    assert due("0 0 0 29 2 *", "2026-08-01 00:00:00", 2) == [
        "2028-02-29 00:00:00",
        "2032-02-29 00:00:00",
    ]


@settings(max_examples=100)  # each looks at up to an hour of seconds
@given(
    st.sets(st.integers(0, 59), min_size=1),
    st.sets(st.integers(0, 59), min_size=1),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
)
def test_no_second_is_left_out(seconds: set[int], minutes: set[int], moment: datetime) -> None:
    expression = f"{','.join(map(str, seconds))} {','.join(map(str, minutes))} * * * *"
    second = moment.replace(microsecond=0) + timedelta(seconds=1)
    while second.minute not in minutes or second.second not in seconds:
        second += timedelta(seconds=1)

    assert Schedule.parse(expression).after(moment) == second


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("", "has 0 fields instead of 6"),
        ("*/15 * * * *", "has 5 fields instead of 6"),
        ("00:15:00", "has 1 fields instead of 6"),
        ("%SCHEDULE%", "has 1 fields instead of 6"),
        ("0 0 0 * * * *", "has 7 fields instead of 6"),
        ("60 * * * * *", "the second '60' is not within 0 to 59"),
        ("0 60 * * * *", "the minute '60' is not within 0 to 59"),
        ("0 0 24 * * *", "the hour '24' is not within 0 to 23"),
        ("0 0 0 0 * *", "the day '0' is not within 1 to 31"),
        ("0 0 0 1-32 * *", "the day '1-32' is not within 1 to 31"),
        ("0 0 0 * 13 *", "the month '13' is not within 1 to 12"),
        ("0 0 0 * * 7", "the day of week '7' is not within 0 to 6"),
        ("5-1 * * * * *", "the second '5-1' is not within 0 to 59"),
        ("*/0 * * * * *", "the second '*/0' is not within 0 to 59"),
        ("0 0 0 * * Mon", "the day of week 'Mon' is not understood"),
        ("1,,2 * * * * *", "the second '1,,2' is not understood"),
        ("-1 * * * * *", "the second '-1' is not understood"),
        ("\u0661 * * * * *", "is not understood"),
        ("0 0 0 30 2 *", "names a date that no year has"),
        ("0 0 0 31 2,4,6,9,11 *", "names a date that no year has"),
    ],
)
def test_what_is_no_schedule_is_refused(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Schedule.parse(expression)
