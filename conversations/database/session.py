"""The database work of one request: one budget around all of it, and what is sent again.

Knows no document and no resource.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeVar

from conversations.database.client import Client
from conversations.database.documents import Documents, Everybody, Page
from conversations.database.failures import (
    Contention,
    DatabaseFailure,
    FailedAnswer,
    OutcomeUnknown,
    Silence,
)

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)

# Of what is left of the budget, what one attempt may take. The rest is to ask what became of it.
_SHARE_OF_AN_ATTEMPT = 0.8
# Between two tries against others: from hardly any to this, at random, so that they part.
_LONGEST_PAUSE_SECONDS = 0.1
# Of the whole budget, what must be left for another try against others who write the same document.
_SHARE_OF_A_LAST_TRY = 0.2


class Write(Protocol[Result_co]):
    """A write, as a store describes it: how to send it, and how to recognise that it was done.

    Ids and marks are drawn when it is made, so that every attempt stores the same.
    """

    repeatable: bool
    """Whether the caller may send it again, not knowing what became of the first time."""

    async def send(self, documents: Documents) -> Result_co:
        """Send it once, in one request that stores all or nothing."""

    async def read_back(
        self, documents: Documents, failure: DatabaseFailure, *, unknown: bool
    ) -> Result_co | None:
        """What it made, if it was done; None if it was not and should be sent once more.

        `failure` is that of the last attempt; `unknown` whether any attempt may have been done.
        Raises what the caller is to hear where something else decides, and OutcomeUnknown where
        nothing can. Reads by batches alone: they see the newest state.
        """


class Session:
    """Gives every request its budget of `timeout_seconds` on the documents of `client`."""

    def __init__(self, client: Client, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds

    def begin(self) -> "Work":
        """The work of one request; its budget runs from now."""
        return Work(self._client, self._timeout_seconds)


class Work:
    """What one request does in the database, within one budget.

    All raise AzureError, and whatever a write's `read_back` raises.
    """

    def __init__(self, client: Client, timeout_seconds: float) -> None:
        self._client = client
        self._timeout_seconds = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._deadline = self._loop.time() + timeout_seconds

    @property
    def seconds_left(self) -> float:
        """What is left of the budget."""
        return self._deadline - self._loop.time()

    async def read(self, operation: Callable[[Documents], Awaitable[Result]]) -> Result:
        """Run `operation`, which only reads, a second time if that may mend its failure."""
        try:
            # The only hard cap: the SDK's own timeouts count per attempt.
            async with asyncio.timeout_at(self._deadline):
                try:
                    return await self._attempt(operation)
                except DatabaseFailure as failure:
                    if not self._fits(failure.retry_wait):
                        raise
                    await asyncio.sleep(failure.retry_wait or 0)
                return await self._attempt(operation)
        except TimeoutError as error:
            raise self._silence() from error

    async def query(
        self,
        partition_key: str | Everybody | None,
        text: str,
        parameters: Mapping[str, Any],
        *,
        max_items: int,
        continuation: str | None,
    ) -> Page:
        """Read one page of a query: see `Documents.query`."""

        async def ask(documents: Documents) -> Page:
            return await documents.query(
                partition_key, text, parameters, max_items=max_items, continuation=continuation
            )

        return await self.read(ask)

    async def write(self, write: Write[Result]) -> Result:
        """Carry out `write` once, whatever happens in between.

        1. Send it. Success is success.
        2. A failure that proves that nothing was stored is the answer; but 429, 449 and a refused
           connection are waited for and sent again, once, and a conflict (409, 412) is read back:
           what is in the way may be our own.
        3. Any other failure leaves the outcome unknown. Read back: what it made is the answer, and
           so is what decides otherwise. If it is not there, send the same bytes once more.
        4. A later failure proves nothing about an earlier attempt: once an outcome was unknown,
           every failure is read back, and what cannot be decided stays unknown.

        Each attempt gets a part of what is left of the budget, so that all fit. The rules are
        docs/contract.md#unknown-outcome.
        """
        undecided: DatabaseFailure | None = None  # the last attempt whose outcome is unknown
        waited = resent = False
        conflicts = 0
        while True:
            try:
                return await self._bounded_attempt(write.send)
            except DatabaseFailure as raised:
                failure = raised
            if failure.outcome_unknown:
                undecided = failure
            elif not waited and self._fits(failure.retry_wait):
                waited = True
                await asyncio.sleep(failure.retry_wait or 0)
                continue
            elif undecided is None and not _is_conflict(failure):
                raise failure
            if _is_conflict(failure):
                # Before the look at what is there, which must not age until it is built upon.
                conflicts += 1
                pause = min(_LONGEST_PAUSE_SECONDS, 0.0002 * 2**conflicts)
                await asyncio.sleep(random.uniform(0, pause))
            done = await self._read_back(write, failure, undecided)
            if done is not None:
                return done
            if _is_conflict(failure):
                if self.seconds_left < self._timeout_seconds * _SHARE_OF_A_LAST_TRY:
                    raise _undecidable(write, undecided) if undecided else Contention()
            elif resent:
                raise _undecidable(write, undecided or failure)
            else:
                resent = True
                if self._fits(failure.retry_wait):
                    await asyncio.sleep(failure.retry_wait or 0)

    async def _read_back(
        self, write: Write[Result], failure: DatabaseFailure, undecided: DatabaseFailure | None
    ) -> Result | None:
        """Ask whether the write was done; a read that fails is tried once more, and no answer."""

        async def read(documents: Documents) -> Result | None:
            return await write.read_back(documents, failure, unknown=undecided is not None)

        try:
            return await self._bounded_attempt(read)
        except OutcomeUnknown:
            raise
        except DatabaseFailure:
            pass
        try:
            return await self._bounded_attempt(read)
        except OutcomeUnknown:
            raise
        except DatabaseFailure as error:
            raise _undecidable(write, undecided or error) from error

    async def _bounded_attempt(self, operation: Callable[[Documents], Awaitable[Result]]) -> Result:
        try:
            async with asyncio.timeout(self.seconds_left * _SHARE_OF_AN_ATTEMPT):
                return await self._attempt(operation)
        except TimeoutError as error:
            raise self._silence() from error

    async def _attempt(self, operation: Callable[[Documents], Awaitable[Result]]) -> Result:
        try:
            documents = await self._client.documents()
        except DatabaseFailure as failure:
            failure.outcome_unknown = False  # nothing was sent yet
            raise
        try:
            return await operation(documents)
        except DatabaseFailure as failure:
            if failure.wants_reopening:
                self._client.reopen(documents)
            raise

    def _fits(self, wait: float | None) -> bool:
        return wait is not None and wait < self.seconds_left

    def _silence(self) -> Silence:
        return Silence(f"cosmos took over {self._timeout_seconds:g} s")


def _is_conflict(failure: DatabaseFailure) -> bool:
    return isinstance(failure, FailedAnswer) and failure.is_conflict


def _undecidable(write: Write[Result], undecided: DatabaseFailure) -> DatabaseFailure:
    """What is raised when nobody can tell: a caller that may repeat it hears why it failed."""
    if write.repeatable:
        return undecided
    return OutcomeUnknown(f"outcome unknown after: {undecided.message}")
