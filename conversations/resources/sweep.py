"""The sweep: finishes deletions that their own request could not.

Runs by a timer, over all partitions; the one thing in this app that looks beyond one user. Reads
nothing of what users stored but ids, and removes nothing whose conversation is there.
"""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError

from conversations import usage
from conversations.database import documents as batch
from conversations.database.documents import Documents, Everybody, key_range
from conversations.database.failures import FailedAnswer, UnreadableAnswer
from conversations.database.session import Session
from conversations.limits import MARKER_SECONDS, SWEEP_SECONDS
from conversations.resources.answers import answer_to
from conversations.resources.conversations.documents import DELETIONS, deletion_id
from conversations.resources.purge import remove_items

_logger = logging.getLogger("conversations")

_MARKERS_AT_ONCE = 1000
# Of the sweep's time, what may go by until it knows what there is to do.
_SHARE_OF_LISTING = 0.5


@dataclass(frozen=True, slots=True)
class Marker:
    """A deletion that may have left items; `since` in seconds since the epoch."""

    isolation_key: str | None
    conversation_id: str
    since: int


class Sweep:
    """Looks for deletions whose items are not all removed, and removes them.

    `clock` tells the time of day in seconds since the epoch.
    """

    def __init__(self, session: Session, clock: Callable[[], float] = time.time) -> None:
        self._session = session
        self._clock = clock

    async def run(self) -> None:
        """One sweep, of at most SWEEP_SECONDS: each deletion in turn gives up 99 items a round.

        So a small one does not wait for a large one. A partition that is throttled is left for the
        next sweep. Writes one log line, with how many deletions are left and the oldest one's age.
        """
        spent = usage.Usage()
        usage.current.set(spent)
        loop = asyncio.get_running_loop()
        started = loop.time()
        reasons: set[str] = set()
        left: list[Marker] = []
        done = 0
        with suppress(TimeoutError):  # interrupted anywhere, the next sweep goes on
            async with asyncio.timeout(SWEEP_SECONDS):
                with suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP_SECONDS * _SHARE_OF_LISTING):
                        await self._list_markers(left, reasons)
                # By lot: what one sweep does not come to is not always the same.
                turn = deque(random.sample(left, len(left)))
                async for marker in self._finished(turn, reasons):
                    left.remove(marker)
                    done += 1
        oldest = max((self._clock() - marker.since for marker in left), default=0)
        _logger.log(
            logging.WARNING if reasons else logging.INFO,
            "sweep_deleted_conversations done=%d left=%d oldest_age_seconds=%d duration_ms=%.1f"
            " request_charge=%.2f attempts=%d%s",
            done,
            len(left),
            oldest,
            (loop.time() - started) * 1000,
            spent.request_charge,
            spent.attempts,
            f' reason="{"; ".join(sorted(reasons))}"' if reasons else "",
        )

    async def _finished(
        self, turn: deque[Marker], reasons: set[str]
    ) -> AsyncGenerator[Marker, None]:
        """Advance each deletion in turn, and give those of which nothing is left."""
        left_alone: set[str | None] = set()
        while turn:
            marker = turn.popleft()
            if marker.isolation_key in left_alone:
                continue
            try:
                over = await self._advance(marker)
            except AzureError as failure:
                reasons.add(_reason(failure))
                left_alone.add(marker.isolation_key)
                continue
            if over:
                yield marker
            elif over is not None:  # None: too young to be forgotten, the next sweep looks again
                turn.append(marker)

    async def _advance(self, marker: Marker) -> bool | None:
        """Remove up to 99 items. Returns whether all is done; None if that is too early to say."""
        key, id_ = marker.isolation_key, marker.conversation_id
        work = self._session.begin()

        async def find(documents: Documents) -> tuple[Any, Any]:
            # The second makes the queries that follow see at least what the delete has left.
            there = await documents.find(key, id_)
            return there, await documents.find(key, deletion_id(id_))

        conversation, document = await work.read(find)
        # A conversation that is there was created by a request that the network delivered late:
        # its items are its own.
        if document and not conversation:
            if await remove_items(work, key, id_):
                return False
            if self._clock() - marker.since <= MARKER_SECONDS:
                return None

        async def forget(documents: Documents) -> None:
            await documents.batch(key, [batch.delete(deletion_id(id_))])

        if document:
            try:
                await work.read(forget)  # sent again, it finds nothing to remove
            except FailedAnswer as failure:
                if not failure.is_missing_document:
                    raise
        return True

    async def _list_markers(self, markers: list[Marker], reasons: set[str]) -> None:
        """Append all deletions to `markers`, or those found until the database fails."""
        low, high = key_range(DELETIONS)
        continuation: str | None = None
        while True:
            try:
                page = await self._session.begin().query(
                    Everybody.PARTITIONS,
                    "SELECT c.isolation_key, c.sort_key, c._ts FROM c"
                    " WHERE c.sort_key > @low AND c.sort_key < @high",
                    {"@low": low, "@high": high},
                    max_items=_MARKERS_AT_ONCE,
                    continuation=continuation,
                )
            except AzureError as failure:
                reasons.add(_reason(failure))
                return
            for document in page.documents:
                try:
                    markers.append(_marker(document))
                except UnreadableAnswer as failure:
                    reasons.add(_reason(failure))
            continuation = page.continuation
            if continuation is None:
                return


def _reason(failure: AzureError) -> str:
    return answer_to(failure).reason or type(failure).__name__


def _marker(document: Any) -> Marker:
    match document:
        case {"isolation_key": str() | None as key, "sort_key": str(sort_key), "_ts": int(since)}:
            return Marker(key, sort_key.removeprefix(DELETIONS), since)
    raise UnreadableAnswer("a stored document is no deletion: check its sort_key")
