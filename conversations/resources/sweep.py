"""The sweep: finishes deletions that their own request could not.

Runs by a timer, over all partitions; the one thing in this app that looks beyond one user. Reads
nothing of what users stored but ids, and removes nothing whose conversation is there.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azure.core.exceptions import AzureError

from conversations import usage
from conversations.database import documents as batch
from conversations.database.documents import Documents, Everybody
from conversations.database.failures import FailedAnswer, UnreadableAnswer
from conversations.database.session import Session
from conversations.limits import MARKER_SECONDS, SWEEP_SECONDS
from conversations.resources.conversations.documents import DELETIONS, deletion_id
from conversations.resources.purge import remove_items

_logger = logging.getLogger("conversations")

_MARKERS_AT_ONCE = 1000


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
        started = time.monotonic()
        reasons: set[str] = set()
        left: list[Marker] = []
        done = 0
        try:
            left = await self._markers()
        except AzureError as failure:
            reasons.add(failure.message)
        turn = list(left)
        left_alone: set[str | None] = set()
        while turn and time.monotonic() - started < SWEEP_SECONDS:
            marker = turn.pop(0)
            if marker.isolation_key in left_alone:
                continue
            try:
                over = await self._advance(marker)
            except AzureError as failure:
                reasons.add(failure.message)
                left_alone.add(marker.isolation_key)
                continue
            if over is None:
                continue  # too young to be forgotten: the next sweep looks again
            if over:
                left.remove(marker)
                done += 1
            else:
                turn.append(marker)
        oldest = max((self._clock() - marker.since for marker in left), default=0)
        _logger.log(
            logging.WARNING if reasons else logging.INFO,
            "sweep_deleted_conversations done=%d left=%d oldest_age_seconds=%d duration_ms=%.1f"
            " request_charge=%.2f attempts=%d%s",
            done,
            len(left),
            oldest,
            (time.monotonic() - started) * 1000,
            spent.request_charge,
            spent.attempts,
            f' reason="{"; ".join(sorted(reasons))}"' if reasons else "",
        )

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

    async def _markers(self) -> list[Marker]:
        markers: list[Marker] = []
        continuation: str | None = None
        while True:

            async def ask(documents: Documents, after: str | None = continuation) -> batch.Page:
                return await documents.query(
                    Everybody.PARTITIONS,
                    "SELECT c.isolation_key, c.sort_key, c._ts FROM c"
                    " WHERE c.sort_key > @low AND c.sort_key < @high",
                    {"@low": DELETIONS, "@high": f"{DELETIONS[:-1]}0"},
                    max_items=_MARKERS_AT_ONCE,
                    continuation=after,
                )

            page = await self._session.begin().read(ask)
            markers += [_marker(document) for document in page.documents]
            continuation = page.continuation
            if continuation is None:
                return markers


def _marker(document: Any) -> Marker:
    match document:
        case {"isolation_key": str() | None as key, "sort_key": str(sort_key), "_ts": int(since)}:
            return Marker(key, sort_key.removeprefix(DELETIONS), since)
    raise UnreadableAnswer("a stored document is no deletion: check its sort_key")
