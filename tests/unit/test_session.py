"""The budget and the pauses of one request's database work, on a clock that skips every wait."""

import asyncio
import math
from typing import Any, cast

import pytest

from conversations.database.client import Client
from conversations.database.documents import Documents
from conversations.database.failures import (
    ConnectionBroken,
    Contention,
    DatabaseFailure,
    FailedAnswer,
    OutcomeUnknown,
)
from conversations.database.session import Session
from tests.support.virtual_time import VirtualTimeLoop


class _Unopened:
    async def documents(self) -> Documents:
        return cast(Documents, None)


class _Outrun:
    """A write that others are ahead of so many times; notes when it looks, and when it is sent.

    `lost`: the first answer is lost, so that nobody knows what became of that attempt.
    """

    def __init__(self, times: float, *, lost: bool = False, repeatable: bool = True) -> None:
        self.times = times
        self.lost = lost
        self.repeatable = repeatable
        self.looked: list[float] = []
        self.sent: list[float] = []

    async def send(self, documents: Documents) -> str:
        self.sent.append(asyncio.get_running_loop().time())
        if self.lost and len(self.sent) == 1:
            raise ConnectionBroken("lost")
        if len(self.sent) <= self.times:
            raise FailedAnswer(412, operation=2)
        return "done"

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> str | None:
        self.looked.append(asyncio.get_running_loop().time())
        return None


def carry_out(write: _Outrun, seconds: float) -> str:
    async def work() -> str:
        session = Session(cast(Client, _Unopened()), timeout_seconds=seconds)
        return await session.begin().write(cast(Any, write))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(work())


def test_what_was_read_after_a_conflict_is_built_upon_at_once() -> None:
    """A pause in between would let everybody get ahead who writes meanwhile, again and again."""
    write = _Outrun(times=20)

    assert carry_out(write, seconds=30) == "done"
    assert write.looked == write.sent[1:]
    assert write.sent == sorted(set(write.sent))  # with a pause before each look


@pytest.mark.parametrize(
    ("lost", "repeatable", "told"),
    [
        (False, True, Contention),
        (False, False, Contention),
        (True, True, ConnectionBroken),
        (True, False, OutcomeUnknown),
    ],
)
def test_who_never_gets_ahead_of_others_hears_of_that_or_of_the_attempt_that_was_lost(
    lost: bool, repeatable: bool, told: type[DatabaseFailure]
) -> None:
    """After four fifths of the budget: docs/reliability.md, docs/contract.md#unknown-outcome."""
    write = _Outrun(math.inf, lost=lost, repeatable=repeatable)

    with pytest.raises(DatabaseFailure) as raised:
        carry_out(write, seconds=5)

    assert type(raised.value) is told
    assert 40 < len(write.looked) == len(write.sent) < 200  # pauses of up to 0.1 s
    assert 4 < write.looked[-1] < 5
