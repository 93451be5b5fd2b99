"""What the gateway decides: whose data a request is about, and who has asked too much."""

import base64
import hashlib
import hmac
import json
import re
from xml.etree import ElementTree

import pytest

from tests.infra.csharp import Body
from tests.infra.policy import POLICIES, Request, an_error, limits

KEY = "x-ms-user-isolation-key"
IDENTITY = "x-ms-user-identity"
README = (POLICIES / "README.md").read_text("utf-8")

# docs/contract.md: what a create takes, and no operation takes more.
LARGEST = 1_048_576

USER = {
    "tid": ["t1"],
    "oid": ["u1"],
    "azp": ["a1"],
    "scp": ["Conversations.ReadWrite"],
}
MIDDLE_TIER = {
    "tid": ["t1"],
    "oid": ["s1"],
    "azp": ["a1"],
    "idtyp": ["app"],
    "roles": ["Conversations.ActAsUser"],
}
COLUMNS = ["Case", "Claims", KEY, IDENTITY, "Key"]

Sent = dict[str, list[str]]
"""Headers of a caller."""


def decisions() -> list[tuple[str, dict[str, list[str]], Sent, str]]:
    """Read the table in the README: case, claims, headers, key."""
    rows = []
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if len(cells) != len(COLUMNS) or cells == COLUMNS:
            continue
        case, claims, *headers, key = cells
        lists = {
            name: value if isinstance(value, list) else [value]
            for name, value in json.loads(claims.strip("`")).items()
        }
        sent = {
            name: re.findall("`([^`]*)`", written) or [""]
            for name, written in zip((KEY, IDENTITY), headers, strict=True)
            if written != "none"
        }
        rows.append((case, lists, sent, "" if key == "(empty)" else key.strip("`")))
    return rows


def test_the_table_of_decisions_is_read_whole() -> None:
    table = README.split("## Limits")[0]
    assert len(decisions()) == table.count("\n| ") - 1


@pytest.mark.parametrize(
    ("claims", "sent", "key"),
    [row[1:] for row in decisions()],
    ids=[row[0] for row in decisions()],
)
def test_the_isolation_key_follows_the_table(
    claims: dict[str, list[str]], sent: Sent, key: str
) -> None:
    request = Request(claims=claims, headers=sent)
    response = request.run("api.xml", "inbound")
    if key in {"400", "401"}:
        assert response is not None
        assert response.status == int(key)
    else:
        assert response is None
        assert request.forwarded[KEY] == [key]
        assert IDENTITY not in request.forwarded


def test_two_names_for_two_users_are_refused_in_the_apps_words() -> None:
    request = Request(claims=MIDDLE_TIER, headers={KEY: ["u1"], IDENTITY: ["u2"]})
    assert an_error(request.run("api.xml", "inbound")) == {
        "message": f"Invalid '{IDENTITY}': it names another user than '{KEY}'.",
        "type": "invalid_request_error",
        "param": IDENTITY,
        "code": "invalid_value",
    }


def test_the_case_of_the_header_name_makes_no_difference() -> None:
    request = Request(claims=USER, headers={"X-MS-User-Isolation-Key": ["t1.u2"]})
    assert request.run("api.xml", "inbound") is None
    assert request.forwarded[KEY] == ["t1.u1"]


def test_no_token_reaches_the_decision_unchecked() -> None:
    request = Request(claims=USER)
    request.run("api.xml", "inbound")
    check = request.done[0]
    assert check.tag == "validate-azure-ad-token"
    assert check.attrib["tenant-id"] == "{{tenant-id}}"
    assert [audience.text for audience in check.iter("audience")] == ["{{entra-application-id}}"]


def test_a_caller_cannot_write_the_gateways_log() -> None:
    request = Request(
        claims=USER, headers={"X-Caller-User": ["bob"], "X-Caller-Application": ["trusted"]}
    )
    assert request.run("api.xml", "inbound") is None
    (user,) = request.forwarded["x-caller-user"]
    digest = hmac.digest(b"pepper", b"t1.u1", hashlib.sha256)
    assert user == base64.b64encode(digest).decode()[:16]
    assert request.forwarded["x-caller-application"] == ["a1"]


def test_an_address_is_counted_before_its_token_is_looked_at() -> None:
    request = Request()
    request.run("global.xml", "inbound")
    assert limits(request) == [("{{rate-limit-per-address}}", "address:192.0.2.7")]
    request = Request(claims=USER)
    request.run("api.xml", "inbound")
    root = ElementTree.parse(POLICIES / "api.xml").getroot()
    inbound = root.find("inbound")
    assert inbound is not None
    assert [element.tag for element in inbound][:2] == ["base", "validate-azure-ad-token"]


def test_a_user_is_counted_and_the_gateways_identity_comes_last() -> None:
    request = Request(claims=USER)
    assert request.run("api.xml", "inbound") is None
    assert limits(request) == [("{{rate-limit-per-minute}}", "user:t1.u1")]
    assert request.done[0].tag == "validate-azure-ad-token"
    assert request.done[-1].tag == "authentication-managed-identity"


@pytest.mark.parametrize("name", ["u1", "u2"])
def test_an_application_is_counted_whomever_it_names(name: str) -> None:
    request = Request(claims=MIDDLE_TIER, headers={KEY: [name]})
    assert request.run("api.xml", "inbound") is None
    assert limits(request) == [
        ("{{rate-limit-per-application}}", "application:a1"),
        ("{{rate-limit-per-minute}}", f"user:a1.{name}"),
    ]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("size", [0, 1, LARGEST, LARGEST + 1, 10 * LARGEST])
def test_a_body_that_no_operation_takes_is_refused(size: int, chunked: bool) -> None:
    headers = {} if chunked else {"Content-Length": [str(size)]}
    body = Body(content=bytes(size)) if chunked else None
    request = Request(claims=USER, headers=headers, body=body)
    response = request.run("api.xml", "inbound")
    if size <= LARGEST:
        assert response is None
        return
    assert an_error(response) == {
        "message": f"Request body too large. Expected at most {LARGEST} bytes, "
        f"but got {size} bytes instead.",
        "type": "invalid_request_error",
        "param": None,
        "code": "request_too_large",
    }
    assert response is not None
    assert response.status == 413


def test_a_request_without_a_body_has_none_to_measure() -> None:
    assert Request(claims=USER, method="GET").run("api.xml", "inbound") is None
