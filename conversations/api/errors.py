"""Every way a request can fail, with its status and its words (contract section 3).

    ApiError                     the caller gets this as an error body
    ├── InvalidRequest           400, one or several faults
    ├── ConversationNotFound     404
    ├── UnknownUrl               404
    ├── MethodNotAllowed         405
    ├── LengthRequired           411
    ├── RequestTooLarge          413
    ├── UnsupportedMediaType     415
    ├── RateLimited              429
    ├── InternalError            500
    ├── ServiceUnavailable       503
    └── DatabaseTimeout          504
    OperatorError                only the operator can mend it: logged, the caller gets a 500

Never carries the text of somebody else's exception, a metadata value or an isolation key.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

RETRY_SOON = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a request: what the message says, and about which parameter."""

    message: str
    code: str | None
    param: str | None = None


class ApiError(Exception):
    """A failure that the caller is told about.

    ``reason`` is for the log alone: it says what the answer must not, in our own words.
    """

    status: ClassVar[HTTPStatus]
    type: ClassVar[str] = "invalid_request_error"

    def __init__(
        self,
        *faults: Fault,
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(faults[0].message)
        self.faults: Sequence[Fault] = faults
        self.headers = headers or {}
        self.reason = reason

    @property
    def code(self) -> str | None:
        """The contract's code of the first fault, which is the error itself."""
        return self.faults[0].code

    def body(self) -> dict[str, Any]:
        """The JSON body: the first fault is the error; ``details`` lists all if there are more."""
        errors = [
            {
                "message": fault.message,
                "type": self.type,
                "param": fault.param,
                "code": fault.code,
            }
            for fault in self.faults
        ]
        if len(errors) == 1:
            return {"error": errors[0]}
        return {"error": {**errors[0], "details": errors}}


class InvalidRequest(ApiError):
    """The header, id or body is not what the contract takes; sending it again cannot help."""

    status = HTTPStatus.BAD_REQUEST


class ConversationNotFound(ApiError):
    """No such conversation under this isolation key; another user's is no different."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, conversation_id: str) -> None:
        super().__init__(Fault(f"Conversation with id '{conversation_id}' not found.", None))


class UnknownUrl(ApiError):
    """The path is none of this API's."""

    status = HTTPStatus.NOT_FOUND

    def __init__(self, method: str, path: str) -> None:
        super().__init__(Fault(f"Invalid URL ({method} {path}).", "unknown_url"))


class MethodNotAllowed(ApiError):
    """The path is ours, the method is not one that it takes."""

    status = HTTPStatus.METHOD_NOT_ALLOWED

    def __init__(self, method: str, path: str, allowed: Sequence[str]) -> None:
        allow = ", ".join(allowed)
        super().__init__(
            Fault(f"Method {method} is not allowed on {path}. Use: {allow}.", "method_not_allowed"),
            headers={"Allow": allow},
        )


class LengthRequired(ApiError):
    """A chunked body: the Functions host drops it, so it would be read as an empty one."""

    status = HTTPStatus.LENGTH_REQUIRED

    def __init__(self) -> None:
        super().__init__(
            Fault(
                "Expected request with Content-Length: 'Transfer-Encoding: chunked' is not "
                "supported.",
                "length_required",
            )
        )


class RequestTooLarge(ApiError):
    """The body has more bytes than any valid one can have."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE

    def __init__(self, *, limit: int, size: int) -> None:
        super().__init__(
            Fault(
                f"Request body too large. Expected at most {limit} bytes, but got {size} bytes "
                "instead.",
                "request_too_large",
            )
        )


class UnsupportedMediaType(ApiError):
    """The body is not declared as JSON."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE

    def __init__(self) -> None:
        super().__init__(
            Fault("Expected request with Content-Type: application/json.", "unsupported_media_type")
        )


class RateLimited(ApiError):
    """The database is over its provisioned throughput; ``retry_after_ms`` is its own wait."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    type = "rate_limit_error"

    def __init__(self, retry_after_ms: int, reason: str) -> None:
        super().__init__(
            Fault(
                f"Too many requests. Try again in {retry_after_ms} ms.",
                "rate_limit_exceeded",
            ),
            headers={
                "Retry-After": str(math.ceil(retry_after_ms / 1000)),
                "retry-after-ms": str(retry_after_ms),
            },
            reason=reason,
        )


class InternalError(ApiError):
    """Whatever the caller cannot mend and a retry will not: the log has the reason."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    type = "server_error"

    def __init__(self, request_id: str, reason: str) -> None:
        super().__init__(
            Fault(
                "The server had an error while processing your request. "
                f"Report the request id {request_id} if it happens again.",
                "internal_error",
            ),
            reason=reason,
        )


class ServiceUnavailable(ApiError):
    """The database refused, broke off or could not serve the request just now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    type = "server_error"

    def __init__(self, reason: str) -> None:
        super().__init__(
            Fault("The service is temporarily unavailable. Try again.", "service_unavailable"),
            headers=RETRY_SOON,
            reason=reason,
        )


class DatabaseTimeout(ApiError):
    """The database did not answer within the request's budget; it may still have acted."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    type = "server_error"

    def __init__(self, reason: str) -> None:
        super().__init__(
            Fault("The request was not answered in time. Try again.", "timeout"),
            headers=RETRY_SOON,
            reason=reason,
        )


class OperatorError(Exception):
    """A fault of the deployment: its text tells the operator what to mend, and is only logged."""
