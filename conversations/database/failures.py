"""How a database request failed, and whether one retry may mend it.

What the caller hears is not decided here (`conversations/resources/answers.py`). The statuses are
Cosmos DB's: https://learn.microsoft.com/rest/api/cosmos-db/http-status-codes-for-cosmosdb

    DatabaseFailure
    ├── FailedAnswer          the database answered 400 or more
    ├── UnreadableAnswer      it answered something that is no JSON object
    ├── ConnectionBroken      reset, or closed before the answer was whole
    ├── ConnectionRefused     nobody listens, or the name does not resolve
    └── Silence               no answer within the budget
"""

from azure.core.exceptions import AzureError

# Long enough for a dropped connection or a moving partition, short against any budget.
RETRY_WAIT_SECONDS = 0.1
# Cosmos DB names its wait with every 429; this stands in should a proxy strip it.
DEFAULT_THROTTLE_MS = 1000

# Status and sub-status of failures that their status alone would misread.
_SESSION_NOT_AVAILABLE = (404, 1002)
_OWNER_NOT_FOUND = (404, 1003)
_MOVED = {(403, 3), (403, 1008)}  # write forbidden here, account not found here

_MENDED_BY_RETRY = {449, 503}
_TRANSIENT = {408, 410, 449, 500, 502, 503, 504}


class DatabaseFailure(AzureError):
    """A database request failed.

    An AzureError, so that the SDK's region tracking takes notice, but none of those which its own
    retries, knowing no budget, would act on.
    """

    retry_wait: float | None = None
    """Seconds after which one retry is worth it; None if it is not."""

    wants_reopening: bool = False
    """Whether the account may be served elsewhere now: its region is down or has moved."""

    is_missing_document: bool = False
    """Whether the document was not found; not its container, and not the session."""


class FailedAnswer(DatabaseFailure):
    """The database answered with an error status.

    `about_document`: asked for a document, not for the account or the container.
    `retry_after_ms`: Cosmos DB's own wait; counts for 429 only.
    """

    def __init__(
        self,
        status: int,
        sub_status: int = 0,
        *,
        about_document: bool,
        retry_after_ms: int = DEFAULT_THROTTLE_MS,
    ) -> None:
        super().__init__(f"cosmos {status}/{sub_status}")
        self.status = status
        self.retry_after_ms = retry_after_ms
        code = (status, sub_status)
        if status == 429:
            self.retry_wait = retry_after_ms / 1000
        elif status in _MENDED_BY_RETRY:
            self.retry_wait = RETRY_WAIT_SECONDS
        self.wants_reopening = code in _MOVED
        not_found = status == 404 and code not in {_SESSION_NOT_AVAILABLE, _OWNER_NOT_FOUND}
        self.is_missing_document = not_found and about_document
        self.is_transient = status in _TRANSIENT or code in {*_MOVED, _SESSION_NOT_AVAILABLE}
        """Whether the same request may succeed later, with nothing mended."""


class UnreadableAnswer(DatabaseFailure):
    """The database answered success, with something that is no JSON object."""

    def __init__(self) -> None:
        super().__init__("cosmos answered something that is no JSON")


class ConnectionBroken(DatabaseFailure):
    """The connection ended before the answer was whole; the request may have been carried out."""

    retry_wait = RETRY_WAIT_SECONDS


class ConnectionRefused(DatabaseFailure):
    """No connection came about, so nothing was carried out."""

    retry_wait = RETRY_WAIT_SECONDS
    wants_reopening = True


class Silence(DatabaseFailure):
    """The database took the request, or at least the connection, and did not answer in time."""
