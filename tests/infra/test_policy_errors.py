"""The gateway's errors: in the shape of the app's, and no advice that does something twice."""

from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from tests.infra.policy import POLICIES, REQUEST_ID, Request, Response, an_error, limits

KEY = "x-ms-user-isolation-key"
IDENTITY = "x-ms-user-identity"

CONVERSATIONS = "/openai/v1/conversations"
CONVERSATION = f"{CONVERSATIONS}/conv_1"
ITEMS = f"{CONVERSATION}/items"
# Method, path, headers, and whether a repeat is harmless (docs/contract.md, what a failure proves).
REPEATS = [
    ("POST", CONVERSATIONS, {}, False),
    ("POST", f"{CONVERSATIONS}/", {}, False),
    ("POST", "/OpenAI/V1/Conversations", {}, False),
    ("POST", CONVERSATIONS, {"Idempotency-Key": ["k"]}, True),
    ("POST", ITEMS, {}, False),
    ("POST", f"{ITEMS}/", {"If-Match": ['"1"']}, False),
    ("POST", ITEMS, {"idempotency-key": ["k"]}, True),
    ("POST", CONVERSATION, {}, True),
    ("POST", CONVERSATION, {"Idempotency-Key": ["k"]}, True),
    ("POST", CONVERSATION, {"If-Match": ['"1"']}, False),
    ("POST", CONVERSATION, {"if-match": ["*"], "Idempotency-Key": ["k"]}, False),
    ("DELETE", CONVERSATION, {}, True),
    ("DELETE", CONVERSATION, {"If-Match": ['"1"']}, False),
    ("DELETE", f"{ITEMS}/msg_1", {"If-Match": ['"1"']}, True),
    ("GET", CONVERSATION, {"If-Match": ['"1"']}, True),
    ("GET", CONVERSATIONS, {}, True),
    ("GET", ITEMS, {}, True),
]


@pytest.mark.parametrize(("method", "path", "headers", "harmless"), REPEATS)
def test_nobody_is_told_to_repeat_what_may_have_been_done(
    method: str, path: str, headers: dict[str, list[str]], harmless: bool
) -> None:
    def answer(
        *, error: SimpleNamespace | None = None, response: SimpleNamespace | None = None
    ) -> Response:
        request = Request(method=method, path=path, headers=headers, error=error, response=response)
        place = ("global.xml", "on-error") if error else ("api.xml", "outbound")
        answered = request.run(*place)
        an_error(answered)
        assert answered is not None
        return answered

    slow, lost, broken = (
        SimpleNamespace(Source="x", Section=section, Reason=reason, PolicyId=None)
        for section, reason in [
            ("backend", "Timeout"),
            ("backend", "BackendConnectionFailure"),
            ("outbound", "ExpressionValueEvaluationFailure"),
        ]
    )
    platform = SimpleNamespace(StatusCode=502, Headers=Request().forwarded)
    refused = SimpleNamespace(StatusCode=403, Headers=Request().forwarded)
    unanswered = [answer(error=slow), answer(error=lost), answer(response=platform)]
    failed = [answer(error=broken), answer(response=refused)]
    assert [response.status for response in failed] == [500, 500]
    assert not [response for response in failed if "Retry-After" in response.headers]
    if harmless:
        assert [response.status for response in unanswered] == [504, 503, 503]
        assert [response.headers["Retry-After"] for response in unanswered] == ["1"] * 3
        assert not [it for it in unanswered + failed if "x-should-retry" in it.headers]
    else:
        assert [response.status for response in unanswered] == [504] * 3
        assert not [response for response in unanswered if "Retry-After" in response.headers]
        assert {it.headers["x-should-retry"] for it in unanswered + failed} == {"false"}


@pytest.mark.parametrize(
    ("source", "section", "reason", "status", "code"),
    [
        ("validate-azure-ad-token", "inbound", "TokenNotPresent", 401, "invalid_token"),
        ("validate-azure-ad-token", "inbound", "TokenExpired", 401, "invalid_token"),
        ("rate-limit-by-key", "inbound", "RateLimitExceeded", 429, "rate_limit_exceeded"),
        ("configuration", "inbound", "OperationNotFound", 404, "unknown_url"),
        ("forward-request", "backend", "Timeout", 504, "timeout"),
        ("forward-request", "backend", "BackendConnectionFailure", 503, "service_unavailable"),
        ("set-variable", "inbound", "ExpressionValueEvaluationFailure", 500, "internal_error"),
        ("authentication-managed-identity", "inbound", None, 500, "internal_error"),
    ],
)
def test_a_failure_of_the_gateway_looks_like_one_of_the_app(
    source: str, section: str, reason: str | None, status: int, code: str
) -> None:
    failure = SimpleNamespace(Source=source, Section=section, Reason=reason, PolicyId=None)
    response = Request(error=failure, variables={"retry-after": 17}).run("global.xml", "on-error")
    assert an_error(response)["code"] == code
    assert response is not None
    assert response.status == status
    retry_after = {429: "17", 503: "1", 504: "1"}
    assert response.headers.get("Retry-After") == retry_after.get(status)
    assert ("WWW-Authenticate" in response.headers) == (status == 401)


def test_a_rate_limit_without_a_wait_still_names_one() -> None:
    failure = SimpleNamespace(Source="rate-limit", Section="inbound", Reason="RateLimitExceeded")
    response = Request(error=failure).run("global.xml", "on-error")
    assert response is not None
    assert response.headers["Retry-After"] == "1"


def test_a_body_too_long_to_be_measured_is_too_large() -> None:
    (measured,) = (
        element
        for element in ElementTree.parse(POLICIES / "api.xml").iter("set-variable")
        if element.attrib["name"] == "body-bytes"
    )
    failure = SimpleNamespace(
        Source="set-variable",
        Section="inbound",
        Reason="ExpressionValueEvaluationFailure",
        PolicyId=measured.attrib["id"],
    )
    response = Request(error=failure).run("global.xml", "on-error")
    assert an_error(response)["code"] == "request_too_large"
    assert response is not None
    assert response.status == 413


def test_the_messages_that_the_gateway_writes_itself() -> None:
    failure = SimpleNamespace(Source="x", Section="inbound", Reason="OperationNotFound")
    unknown = Request(error=failure).run("global.xml", "on-error")
    assert an_error(unknown)["message"] == "Invalid URL (POST /openai/v1/x)."
    failure = SimpleNamespace(Source="x", Section="inbound", Reason="", PolicyId=None)
    broken = Request(error=failure).run("global.xml", "on-error")
    assert REQUEST_ID.hex in str(an_error(broken)["message"])


JSON = "application/json"


@pytest.mark.parametrize(
    ("status", "content_type"),
    [(200, JSON), (304, None), (404, JSON), (429, f"{JSON}; charset=utf-8"), (503, JSON)],
)
def test_what_the_app_answers_goes_through(status: int, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": [content_type]}
    answer = SimpleNamespace(StatusCode=status, Headers=Request(headers=headers).forwarded)
    assert Request(response=answer).run("api.xml", "outbound") is None


@pytest.mark.parametrize(
    ("status", "content_type", "becomes", "code"),
    [
        (401, None, 500, "internal_error"),  # its authentication refuses the gateway
        (403, JSON, 500, "internal_error"),  # the app itself does
        (400, "text/html", 400, None),
        (404, None, 404, None),
        (413, None, 413, None),
        (429, None, 429, "rate_limit_exceeded"),
        (431, None, 431, None),
        (500, None, 503, "service_unavailable"),
        (502, "text/html", 503, "service_unavailable"),
    ],
)
def test_what_stands_before_the_app_is_put_in_the_apps_words(
    status: int, content_type: str | None, becomes: int, code: str | None
) -> None:
    headers = {} if content_type is None else {"content-type": [content_type]}
    answer = SimpleNamespace(StatusCode=status, Headers=Request(headers=headers).forwarded)
    response = Request(response=answer).run("api.xml", "outbound")
    assert an_error(response)["code"] == code
    assert response is not None
    assert response.status == becomes
    assert ("Retry-After" in response.headers) == (becomes in {429, 503})


@pytest.mark.parametrize(
    ("status", "content_type", "healthy"),
    [
        (404, JSON, True),
        (404, None, False),
        *((status, JSON, False) for status in (200, 403, 429, 500, 503)),
    ],
)
def test_health_is_yes_or_no(status: int, content_type: str | None, healthy: bool) -> None:
    headers = {} if content_type is None else {"content-type": [content_type]}
    answer = SimpleNamespace(StatusCode=status, Headers=Request(headers=headers).forwarded)
    request = Request(method="GET", path="/health", response=answer)
    response = request.run("health.xml", "outbound")
    assert response is not None
    assert response.status == (204 if healthy else 503)
    if healthy:
        assert response.body == ""
    else:
        assert an_error(response)["code"] == "service_unavailable"


def test_health_looks_for_nobodys_conversation_and_a_flood_of_it_is_bounded() -> None:
    request = Request(method="GET", path="/health", headers={KEY: ["t1.u1"], IDENTITY: ["t1.u1"]})
    assert request.run("health.xml", "inbound") is None
    assert request.forwarded == {KEY: ["health"]}
    assert limits(request) == [("60", "health")]
    (rewritten,) = (element for element in request.done if element.tag == "rewrite-uri")
    assert rewritten.attrib["template"] == f"{CONVERSATIONS}/conv_health"
