"""What the caller hears when the database has failed (docs/contract.md#failures-of-the-database).

Of what the database said only its status reaches the log, and nothing the caller.
"""

import math
from http import HTTPStatus

import azure.functions as func
from azure.core.exceptions import AzureError, ClientAuthenticationError

from conversations.api.edge import Answer, Handler
from conversations.api.errors import (
    RETRY_SOON,
    ApiError,
    ErrorDetail,
    InternalError,
    ServiceUnavailable,
)
from conversations.database.failures import (
    DatabaseFailure,
    FailedAnswer,
    OutcomeUnknown,
    Silence,
    UnreadableAnswer,
)

_ADVICE = {
    401: "the credential was refused; check COSMOS_KEY and the server's clock",
    403: "not allowed; check the identity's role, local authentication and the firewall",
    404: "not found; check COSMOS_ENDPOINT, and that COSMOS_DATABASE and COSMOS_CONTAINER exist",
}


class RateLimited(ApiError):
    """The database is over its provisioned throughput; ``retry_after_ms`` is its own wait."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    type = "rate_limit_error"

    def __init__(self, retry_after_ms: int, reason: str) -> None:
        super().__init__(
            ErrorDetail(
                f"Too many requests. Try again in {retry_after_ms} ms.", "rate_limit_exceeded"
            ),
            headers={
                "Retry-After": str(math.ceil(retry_after_ms / 1000)),
                "retry-after-ms": str(retry_after_ms),
            },
            reason=reason,
        )


class StorageFull(ApiError):
    """The user's partition is full; only deleting helps."""

    status = HTTPStatus.BAD_REQUEST

    def __init__(self, reason: str) -> None:
        super().__init__(
            ErrorDetail(
                "This user's storage is full: delete conversations, or items of them.",
                "storage_limit_exceeded",
            ),
            reason=reason,
        )


class TransactionTooLarge(ApiError):
    """What is to be stored at once is over what a transaction of the database takes."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, reason: str) -> None:
        super().__init__(
            ErrorDetail(
                "The items are too large to be stored at once. Send fewer of them in a request.",
                "request_too_large",
            ),
            reason=reason,
        )


class DatabaseTimeout(ApiError):
    """The database did not answer within the request's budget; it may still have acted."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    type = "server_error"

    def __init__(self, reason: str) -> None:
        super().__init__(
            ErrorDetail("The request was not answered in time. Try again.", "timeout"),
            headers=RETRY_SOON,
            reason=reason,
        )


def translated(operation: Handler) -> Handler:
    """The same operation, with every failure of the database as an error of the API."""

    async def translating(request: func.HttpRequest) -> Answer:
        try:
            return await operation(request)
        except AzureError as failure:
            raise answer_to(failure) from failure

    return translating


def refused_create(failure: DatabaseFailure) -> Exception:
    """What to raise for the failure of a create: its caller alone decides how much it stores."""
    return TransactionTooLarge(failure.message) if failure.is_too_large else failure


def answer_to(error: AzureError) -> ApiError:
    """What to raise for whatever came out of the database layer."""
    match error:
        case FailedAnswer(status=429):
            return RateLimited(error.retry_after_ms, error.message)
        case FailedAnswer(is_partition_full=True):
            return StorageFull(error.message)
        case FailedAnswer(is_transient=False):
            advice = _ADVICE.get(error.status, "an answer this app has no use for")
            return InternalError(f"{error.message}: {advice}")
        case UnreadableAnswer():
            return InternalError(error.message)
        case Silence() | OutcomeUnknown():
            return DatabaseTimeout(error.message)
        case DatabaseFailure():
            return ServiceUnavailable(error.message)
        case ClientAuthenticationError():
            return InternalError(
                "no token for the managed identity; check that it exists, and AZURE_CLIENT_ID"
            )
    return ServiceUnavailable(f"the Cosmos SDK gave up with {type(error).__name__}")
