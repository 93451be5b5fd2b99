"""How a database request failed, and what that proves of a write.

What the caller hears is not decided here (`conversations/resources/answers.py`). The statuses are
Cosmos DB's: https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb

    DatabaseFailure
    ├── FailedAnswer          the database answered 400 or more, or refused a batch
    ├── UnreadableAnswer      it answered something that this app cannot read
    ├── ConnectionBroken      reset, or closed before the answer was whole
    ├── ConnectionRefused     nobody listens, or the name does not resolve
    ├── Silence               no answer within the budget
    ├── BatchTooLarge         not sent: the database takes no batch of this size
    ├── Contention            not done: others were faster until the budget was spent
    └── OutcomeUnknown        a write may have been done, and must not be repeated blindly
"""

import re
from collections.abc import Mapping

from azure.core.exceptions import AzureError

# Long enough for a dropped connection or a moving partition, short against any budget.
RETRY_WAIT_SECONDS = 0.1
# Cosmos DB names its wait with every 429; this stands in should a proxy strip it.
DEFAULT_THROTTLE_MS = 1000

# Status and sub-status of failures that their status alone would misread.
_SESSION_NOT_AVAILABLE = (404, 1002)
_OWNER_NOT_FOUND = (404, 1003)
_PARTITION_FULL = (403, 1014)
_MOVED = {(403, 3), (403, 1008)}  # write forbidden here, account not found here

_MENDED_BY_RETRY = {449, 503}
_TRANSIENT = {408, 410, 449, 500, 502, 503, 504}
# Of a write that was sent, these alone (docs/contract.md#unknown-outcome).
_PROVES_NOTHING_STORED = {400, 401, 403, 404, 409, 412, 413, 429, 449}


_ACTIVITY_ID = re.compile(r"[0-9A-Fa-f-]{36}")


class DatabaseFailure(AzureError):
    """A database request failed.

    An AzureError, so that the SDK's region tracking takes notice, but none of those which its own
    retries, knowing no budget, would act on.
    """

    retry_wait: float | None = None
    """Seconds after which one retry is worth it; None if it is not."""

    outcome_unknown: bool = True
    """Whether a write that failed so may have been carried out all the same."""

    wants_reopening: bool = False
    """Whether the account may be served elsewhere now: its region is down or has moved."""

    is_too_large: bool = False
    """Whether the request was more than the database takes at once."""


class FailedAnswer(DatabaseFailure):
    """The database answered with an error status.

    `about_document`: asked for a document, not for the account or the container.
    `retry_after_ms`: Cosmos DB's own wait; counts for 429 only.
    `operation`: which one of a batch it is about, from 0; None if the request as a whole.
    `headers`: of the answer; they may hold a session token, and the activity id by which Microsoft
    finds the request. `action`: the data action that the app's role lacks, if it was that.
    """

    def __init__(
        self,
        status: int,
        sub_status: int = 0,
        *,
        about_document: bool = True,
        retry_after_ms: int = DEFAULT_THROTTLE_MS,
        operation: int | None = None,
        headers: Mapping[str, str] | None = None,
        action: str | None = None,
    ) -> None:
        self.headers = headers or {}
        words = [f"cosmos {status}/{sub_status}"]
        activity = self.headers.get("x-ms-activity-id", "")
        if _ACTIVITY_ID.fullmatch(activity):
            words.append(f"activity={activity}")
        if action:
            words.append(f"action={action}")
        super().__init__(" ".join(words))
        self.status = status
        self.retry_after_ms = retry_after_ms
        self.operation = operation
        code = (status, sub_status)
        if status == 429:
            self.retry_wait = retry_after_ms / 1000
        elif status in _MENDED_BY_RETRY:
            self.retry_wait = RETRY_WAIT_SECONDS
        self.outcome_unknown = status not in _PROVES_NOTHING_STORED
        self.wants_reopening = code in _MOVED
        not_found = status == 404 and code not in {_SESSION_NOT_AVAILABLE, _OWNER_NOT_FOUND}
        self.is_missing_document = not_found and about_document
        """Whether the document was not found; not its container, and not the session."""
        self.is_conflict = status in {409, 412}
        """Whether the document is there, or is another than the request took for granted."""
        self.is_too_large = status == 413
        self.is_partition_full = code == _PARTITION_FULL
        self.is_transient = status in _TRANSIENT or code in {*_MOVED, _SESSION_NOT_AVAILABLE}
        """Whether the same request may succeed later, with nothing mended."""


class UnreadableAnswer(DatabaseFailure):
    """The database answered success, with something that this app cannot read."""


class ConnectionBroken(DatabaseFailure):
    """The connection ended before the answer was whole; the request may have been carried out."""

    retry_wait = RETRY_WAIT_SECONDS


class ConnectionRefused(DatabaseFailure):
    """No connection came about, so nothing was carried out."""

    retry_wait = RETRY_WAIT_SECONDS
    outcome_unknown = False
    wants_reopening = True


class Silence(DatabaseFailure):
    """The database took the request, or at least the connection, and did not answer in time."""


class BatchTooLarge(DatabaseFailure):
    """The composed batch is over what the database takes; it was not sent."""

    outcome_unknown = False
    is_too_large = True

    def __init__(self, size: int) -> None:
        super().__init__(f"a batch of {size} bytes")


class Contention(DatabaseFailure):
    """Others changed the document whenever it was tried; nothing was written."""

    outcome_unknown = False

    def __init__(self) -> None:
        super().__init__("others were faster until the budget was spent")


class OutcomeUnknown(DatabaseFailure):
    """A write may have been done or not, and sending it again could do harm."""
