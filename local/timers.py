"""Runs timer functions in the running loop: by their schedules, and when somebody asks for it.

It keeps nothing between two starts of the host, as the real one does for a timer without a schedule
monitor: a time that was missed is not made up for, and a function learns no schedule status.
"""

import asyncio
import logging
from collections.abc import Coroutine
from datetime import UTC, datetime
from typing import Any

from azure.functions.timer import TimerRequest

from local.functions import Context, TimerFunction

_logger = logging.getLogger("local.timers")

_EXECUTED = "Executed 'Functions.%s' (%s, Id=%s)"

# Seconds that a function gets to end when its invocation is cancelled.
GRACE = 5


class Timers:
    """The schedules that are kept, and the invocations under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, function: TimerFunction) -> datetime:
        """Keep the function's schedule from now on. Returns when it runs first."""
        now = _now()
        first = now if function.run_on_startup else function.schedule.after(now)
        self._spawn(self._keep(function, first))
        return first

    def run(self, function: TimerFunction) -> asyncio.Task[None]:
        """Run it now, whether or not it is running already, and do not wait for it."""
        return self._spawn(_invoke(function))

    async def stop(self) -> None:
        """End all of it. An invocation under way is cancelled."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GRACE)

    async def _keep(self, function: TimerFunction, due: datetime) -> None:
        """Run it whenever it is due, one run after the other.

        What came due during a run is made up for by one run at its end, as the host does.
        """
        while True:
            await asyncio.sleep((due - _now()).total_seconds())
            # A sleep that was short by the clock must not make one time count twice.
            started = max(due, _now())
            # Not awaited itself: a function that survives its cancellation would swallow ours.
            await asyncio.wait([self.run(function)])
            due = function.schedule.after(started)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _invoke(function: TimerFunction) -> None:
    """One invocation, logged in the words of the host. What it raises ends in the log."""
    context = Context(function.name)
    request = TimerRequest(past_due=False, schedule={"AdjustForDST": True})
    try:
        await function.trigger(request, context)
    except Exception:
        _logger.exception(_EXECUTED, function.name, "Failed", context.invocation_id)
    else:
        _logger.info(_EXECUTED, function.name, "Succeeded", context.invocation_id)


def _now() -> datetime:
    """In UTC, which is Azure's time zone unless it is set to another."""
    return datetime.now(UTC)
