"""What an error of this API is, and those that are raised all over it.

    ApiError                     the caller gets this as an error body
    ├── InvalidRequest           400: one or several validation errors
    ├── InternalError            500: nothing that the caller can mend, and a retry will not
    ├── ServiceUnavailable       503: something that this service needs; a retry may find it
    └── ...                      the others stand where they are raised

Never carries the text of somebody else's exception, a metadata value or an isolation key. The
shape is docs/contract.md#errors.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

RETRY_SOON = {"Retry-After": "1"}


@dataclass(frozen=True, slots=True)
class ErrorDetail:
    """One thing that is wrong: what the message says, its code, and the parameter it is about."""

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
        *details: ErrorDetail,
        headers: Mapping[str, str] | None = None,
        reason: str | None = None,
    ) -> None:
        super().__init__(details[0].message)
        self.details: Sequence[ErrorDetail] = details
        self.headers = headers or {}
        self.reason = reason

    @property
    def code(self) -> str | None:
        """The code of the first detail, which is the error itself."""
        return self.details[0].code

    def body(self, request_id: str) -> dict[str, Any]:
        """The JSON body: the first detail is the error; ``details`` lists all if there are more."""
        errors = [
            {
                "message": detail.message,
                "type": self.type,
                "param": detail.param,
                "code": detail.code,
            }
            for detail in self.details
        ]
        if len(errors) == 1:
            return {"error": errors[0]}
        return {"error": {**errors[0], "details": errors}}


class InvalidRequest(ApiError):
    """A header, id, query or body that the contract does not take: a repeat cannot help."""

    status = HTTPStatus.BAD_REQUEST


class InternalError(ApiError):
    """Whatever the caller cannot mend and a retry will not: the log has the reason."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    type = "server_error"

    def __init__(self, reason: str) -> None:
        message = "The server had an error while processing your request."
        super().__init__(ErrorDetail(message, "internal_error"), reason=reason)

    def body(self, request_id: str) -> dict[str, Any]:
        """One fixed sentence, and the request id to report."""
        body = super().body(request_id)
        body["error"]["message"] += f" Report the request id {request_id} if it happens again."
        return body


class ServiceUnavailable(ApiError):
    """Something that this service depends on refused, broke off or could not serve just now."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    type = "server_error"

    def __init__(self, reason: str) -> None:
        message = "The service is temporarily unavailable. Try again."
        super().__init__(
            ErrorDetail(message, "service_unavailable"), headers=RETRY_SOON, reason=reason
        )
