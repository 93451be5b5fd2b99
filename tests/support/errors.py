"""What the contract promises a caller who did something wrong, to compare an answer with."""

from tests.support.rest import Answer, assert_usual_headers


def assert_error(
    answer: Answer, status: int, code: str | None, param: str | None, message: str
) -> None:
    """The answer is this error of the caller's, whole (docs/contract.md#errors)."""
    assert answer.status == status, answer
    assert_usual_headers(answer)
    assert "etag" not in answer.headers
    assert answer.error == {
        "message": message,
        "type": "invalid_request_error",
        "param": param,
        "code": code,
    }
