"""What the gateway decides: whose data a request is about, and what its own errors look like."""

import json
import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from tests.infra.policy import POLICIES, REQUEST_ID, Request, Response

KEY = "x-ms-user-isolation-key"
README = (POLICIES / "README.md").read_text("utf-8")
FILES = sorted(POLICIES.rglob("*.xml"))

USER = {
    "tid": ["t1"],
    "oid": ["u1"],
    "azp": ["a1"],
    "scp": ["Conversations.ReadWrite"],
}


def decisions() -> list[tuple[str, dict[str, list[str]], list[str] | None, str]]:
    """Read the table in the README: case, claims, header values, key."""
    rows = []
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 4 or cells[0] == "Case" or set(cells[0]) == {"-"}:
            continue
        case, claims, header, key = cells
        lists = {
            name: value if isinstance(value, list) else [value]
            for name, value in json.loads(claims.strip("`")).items()
        }
        sent = None if header == "none" else re.findall("`([^`]*)`", header) or [""]
        rows.append((case, lists, sent, "" if key == "(empty)" else key.strip("`")))
    return rows


def an_error(response: Response | None) -> dict[str, object]:
    """Return the error of a response that must look like one of the app's."""
    assert response is not None
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["x-request-id"] == REQUEST_ID.hex
    assert response.headers["openai-processing-ms"] == "12"
    body = json.loads(response.body)
    assert list(body) == ["error"]
    error = body["error"]
    assert isinstance(error, dict)
    assert list(error) == ["message", "type", "param", "code"]
    return error


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(POLICIES)))
def test_every_policy_is_well_formed_xml(file: Path) -> None:
    root = ElementTree.parse(file).getroot()
    assert root.tag == ("fragment" if file.parent.name == "fragments" else "policies")


def test_the_table_of_decisions_is_read_whole() -> None:
    assert len(decisions()) == README.count("\n| ") - 1


@pytest.mark.parametrize(
    ("claims", "sent", "key"),
    [row[1:] for row in decisions()],
    ids=[row[0] for row in decisions()],
)
def test_the_isolation_key_follows_the_table(
    claims: dict[str, list[str]], sent: list[str] | None, key: str
) -> None:
    request = Request(claims=claims, headers={} if sent is None else {KEY: sent})
    response = request.run("api.xml", "inbound")
    if key == "401":
        assert response is not None
        assert response.status == 401
    else:
        assert response is None
        assert request.forwarded[KEY] == [key]


def test_the_case_of_the_header_name_makes_no_difference() -> None:
    request = Request(claims=USER, headers={"X-MS-User-Isolation-Key": ["t1.u2"]})
    assert request.run("api.xml", "inbound") is None
    assert request.forwarded == {KEY: ["t1.u1"]}


def test_no_token_reaches_the_decision_unchecked() -> None:
    request = Request(claims=USER)
    request.run("api.xml", "inbound")
    check = request.done[0]
    assert check.tag == "validate-azure-ad-token"
    assert check.attrib["tenant-id"] == "{{tenant-id}}"
    assert [audience.text for audience in check.iter("audience")] == ["{{entra-application-id}}"]


def test_the_rate_is_counted_per_user_and_the_gateway_identity_comes_last() -> None:
    request = Request(claims=USER)
    request.run("api.xml", "inbound")
    assert [element.tag for element in request.done] == [
        "validate-azure-ad-token",
        "set-header",
        "rate-limit-by-key",
        "set-backend-service",
        "authentication-managed-identity",
    ]
    assert request.value(request.done[2].attrib["counter-key"]) == "user:t1.u1"


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
    failure = SimpleNamespace(Source=source, Section=section, Reason=reason)
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


def test_the_messages_that_the_gateway_writes_itself() -> None:
    failure = SimpleNamespace(Source="x", Section="inbound", Reason="OperationNotFound")
    unknown = Request(error=failure).run("global.xml", "on-error")
    assert an_error(unknown)["message"] == "Invalid URL (POST /openai/v1/x)."
    failure = SimpleNamespace(Source="x", Section="inbound", Reason="")
    broken = Request(error=failure).run("global.xml", "on-error")
    assert REQUEST_ID.hex in str(an_error(broken)["message"])


@pytest.mark.parametrize(
    ("status", "content_type", "passes"),
    [
        (200, "application/json", True),
        (404, "application/json", True),
        (429, "application/json; charset=utf-8", True),
        (401, None, False),  # the app's authentication refuses the gateway
        (404, "text/html", False),  # the app is not deployed
        (502, "text/html", False),
    ],
)
def test_only_the_app_itself_may_report_an_error(
    status: int, content_type: str | None, passes: bool
) -> None:
    headers = {} if content_type is None else {"content-type": [content_type]}
    answer = SimpleNamespace(StatusCode=status, Headers=Request(headers=headers).forwarded)
    response = Request(response=answer).run("api.xml", "outbound")
    if passes:
        assert response is None
    else:
        assert an_error(response)["code"] == "service_unavailable"
