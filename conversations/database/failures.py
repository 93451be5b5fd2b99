"""How a database request failed, whether one retry may mend it, and which answer it makes.

The table is contract section 3; the statuses are Cosmos DB's (vendor: HTTP status codes).

    DatabaseFailure
    ├── FailedAnswer          the database answered 400 or more
    ├── ConnectionBroken      reset, or closed before the answer was whole
    ├── ConnectionRefused     nobody listens, or the name does not resolve
    └── Silence               no answer within the socket's timeout
"""

from azure.core.exceptions import AzureError, ClientAuthenticationError, DecodeError

from conversations.api.errors import (
    ApiError,
    DatabaseTimeout,
    OperatorError,
    RateLimited,
    ServiceUnavailable,
)

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
_ADVICE = {
    401: "the credential was refused; check COSMOS_KEY and the server's clock",
    403: "not allowed; check the identity's role, local authentication and the firewall",
    404: "not found; check COSMOS_ENDPOINT, and that COSMOS_DATABASE and COSMOS_CONTAINER exist",
}


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

    def answer(self) -> ApiError | OperatorError:
        """What to raise once the failure stands."""
        return ServiceUnavailable(self.message)


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
        self._is_transient = status in _TRANSIENT or code in {*_MOVED, _SESSION_NOT_AVAILABLE}

    def answer(self) -> ApiError | OperatorError:
        """429 with the database's own wait, 503 if it may pass, else the operator's to mend."""
        if self.status == 429:
            return RateLimited(self.retry_after_ms, self.message)
        if self._is_transient:
            return ServiceUnavailable(self.message)
        advice = _ADVICE.get(self.status, "an answer this app has no use for")
        return OperatorError(f"{self.message}: {advice}")


class ConnectionBroken(DatabaseFailure):
    """The connection ended before the answer was whole; the request may have been carried out."""

    retry_wait = RETRY_WAIT_SECONDS


class ConnectionRefused(DatabaseFailure):
    """No connection came about, so nothing was carried out."""

    retry_wait = RETRY_WAIT_SECONDS
    wants_reopening = True


class Silence(DatabaseFailure):
    """The database took the request, or at least the connection, and said nothing."""

    def answer(self) -> ApiError:
        """504: the budget is spent."""
        return DatabaseTimeout(self.message)


def answer_to(error: AzureError) -> ApiError | OperatorError:
    """What to raise for whatever came out of the SDK."""
    if isinstance(error, DatabaseFailure):
        return error.answer()
    if isinstance(error, ClientAuthenticationError):
        return OperatorError(
            "no token for the managed identity; check that it exists, and AZURE_CLIENT_ID"
        )
    if isinstance(error, DecodeError):
        return OperatorError("cosmos answered something that is no JSON; check COSMOS_ENDPOINT")
    return ServiceUnavailable(f"the Cosmos SDK gave up with {type(error).__name__}")
