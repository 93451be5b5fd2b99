"""The budget and the pauses of one request's database work, on a clock that skips every wait."""

import asyncio
from typing import Any, cast

from conversations.database.client import Client
from conversations.database.documents import Documents
from conversations.database.failures import DatabaseFailure, FailedAnswer
from conversations.database.session import Session
from tests.support.virtual_time import VirtualTimeLoop


class _Unopened:
    async def documents(self) -> Documents:
        return cast(Documents, None)


class _Outrun:
    """A write that others are ahead of so many times; notes when it looks, and when it is sent."""

    repeatable = True

    def __init__(self, times: int) -> None:
        self.times = times
        self.looked: list[float] = []
        self.sent: list[float] = []

    async def send(self, documents: Documents) -> str:
        self.sent.append(asyncio.get_running_loop().time())
        if len(self.sent) <= self.times:
            raise FailedAnswer(412, operation=2)
        return "done"

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> str | None:
        self.looked.append(asyncio.get_running_loop().time())
        return None


def test_what_was_read_after_a_conflict_is_built_upon_at_once() -> None:
    """A pause in between would let everybody get ahead who writes meanwhile, again and again."""
    write = _Outrun(times=20)

    async def carry_out() -> str:
        session = Session(cast(Client, _Unopened()), timeout_seconds=30)
        return await session.begin().write(cast(Any, write))

    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        answer = runner.run(carry_out())

    assert answer == "done"
    assert write.looked == write.sent[1:]
    assert write.sent == sorted(set(write.sent))  # with a pause before each look
