"""Targets, ids and headers that have broken servers, and bytes that are no HTTP."""

from urllib.parse import quote

import pytest

from tests.support import raw
from tests.support.contract import assert_of_the_contract, error_code
from tests.support.limits import ISOLATION_KEY_LENGTH
from tests.support.rest import CONVERSATIONS, Rest

COLLECTION = CONVERSATIONS.encode()
AS_JSON = (b"Content-Type", b"application/json")
ISOLATION_KEY = b"x-ms-user-isolation-key"
CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]


@pytest.mark.parametrize(
    "host", [b"[", b"a\xe2\x84\x80b", b"", b"a:b:c", b"localhost:99999", b"a?b/c", b"/\xff"]
)
def test_no_host_header_breaks_an_unknown_url(base_url: str, host: bytes) -> None:
    answer = raw.send(base_url, raw.request(b"GET", b"/nowhere?a/b", [(b"Host", host)]))

    assert answer.status == 404
    assert error_code(answer) == "unknown_url"
    assert answer.error["message"] == "Invalid URL (GET /nowhere)."


@pytest.mark.parametrize(
    ("method", "target_"),
    [(b"OPTIONS", b"*"), (b"CONNECT", b"localhost:443"), (b"GET", b"http://localhost/nowhere")],
)
def test_a_target_that_is_no_path_gets_an_answer(
    base_url: str, method: bytes, target_: bytes
) -> None:
    assert error_code(raw.send(base_url, raw.request(method, target_))) == "unknown_url"


def test_every_control_character_in_an_id_is_refused_and_quoted_back(rest: Rest) -> None:
    for number in CONTROLS:
        character = chr(number)
        answer = rest.retrieve(f"conv_{quote(character)}")

        assert answer.status == 400
        assert error_code(answer) == "invalid_value"
        assert answer.error["message"] == (
            f"Invalid 'conversation_id': 'conv_{character}'. Malformed identifier."
        )


@pytest.mark.parametrize(
    ("escape", "shown"),
    [
        pytest.param("%c0%ae%c0%ae", "\ufffd" * 4, id="overlong-dots"),
        pytest.param("%c0%af", "\ufffd" * 2, id="overlong-slash"),
        pytest.param("%e0%80%af", "\ufffd" * 3, id="overlong-slash-in-three"),
        pytest.param("%ed%a0%80", "\ufffd" * 3, id="surrogate"),
        pytest.param("%f4%90%80%80", "\ufffd" * 4, id="beyond-unicode"),
        pytest.param("%ff", "\ufffd", id="no-utf8"),
        pytest.param("%252f", "%2f", id="twice"),
        pytest.param("%2f", "%2f", id="slash"),
        pytest.param("%", "%", id="alone"),
        pytest.param("%zz", "%zz", id="no-hex"),
        pytest.param("%u0041", "%u0041", id="ancient"),
    ],
)
def test_a_hostile_percent_escape_is_part_of_an_ill_formed_id(
    rest: Rest, escape: str, shown: str
) -> None:
    answer = rest.delete(f"conv_{escape}")

    assert answer.status == 400
    assert error_code(answer) == "invalid_value"
    assert answer.error["message"].startswith(f"Invalid 'conversation_id': 'conv_{shown}'.")


def test_an_id_in_capitals_is_another_id(rest: Rest) -> None:
    prefix, digits = str(rest.create()["id"]).split("_")

    unknown = rest.retrieve(f"{prefix}_{digits.upper()}")
    ill_formed = rest.retrieve(f"{prefix.upper()}_{digits}")

    assert unknown.status == 404
    assert error_code(unknown) is None
    assert ill_formed.status == 400
    assert error_code(ill_formed) == "invalid_value"


@pytest.mark.parametrize("name", [ISOLATION_KEY, b"x-ms-client-request-id", b"traceparent"])
def test_a_control_character_in_a_header_is_refused_by_the_web_server(
    base_url: str, name: bytes
) -> None:
    for number in [*range(0x09), *range(0x0A, 0x20), 0x7F]:
        value = b"a%cb" % number
        answer = raw.send(base_url, raw.request(b"GET", COLLECTION + b"/conv_1", [(name, value)]))

        assert raw.refused_by_the_web_server(answer), number
        assert answer.body


@pytest.mark.parametrize(
    "value",
    [
        b"a\tb",
        b"",
        b"\xc3\xa9",
        b"\xff",
        b"\xed\xa0\x80",
        b"a,b",
        b",",
        b"a" * (ISOLATION_KEY_LENGTH + 1),
    ],
)
def test_what_http_lets_pass_is_still_no_isolation_key(base_url: str, value: bytes) -> None:
    headers = [(ISOLATION_KEY, value)]
    answer = raw.send(base_url, raw.request(b"GET", COLLECTION + b"/conv_1", headers))

    assert answer.status == 400
    assert error_code(answer) == "invalid_value"
    assert answer.error["param"] == "x-ms-user-isolation-key"


@pytest.mark.parametrize("value", [b"a\tb", b"\xc3\xa9", b"\xff", b"", b"a" * 129])
def test_a_hostile_client_request_id_is_not_echoed(base_url: str, value: bytes) -> None:
    headers = [(b"x-ms-client-request-id", value)]
    answer = raw.send(base_url, raw.request(b"GET", COLLECTION + b"/conv_1", headers))

    assert answer.status == 404
    assert_of_the_contract(answer)
    assert "x-ms-client-request-id" not in answer.headers


@pytest.mark.parametrize(
    "value",
    [b"", b"00", b"\xff", b"00-" + b"Z" * 32 + b"-0000000000000001-00", b"a" * 8000],
)
def test_a_hostile_traceparent_is_replaced(base_url: str, value: bytes) -> None:
    answer = raw.send(base_url, raw.request(b"GET", b"/nowhere", [(b"traceparent", value)]))

    assert error_code(answer) == "unknown_url"


@pytest.mark.parametrize(
    "content",
    [
        b"post %s HTTP/1.1\r\nHost: x\r\n\r\n" % COLLECTION,
        b"GET %s/\xff HTTP/1.1\r\nHost: x\r\n\r\n" % COLLECTION,
        b"GET /nowhere HTTP/1.1\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"a" * 20_000),
        b"GET / HTTP/1.1\r\nHost: x\r\na: b\r\n c\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nx-ms-user-isolation-key : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n%s\r\n" % b"".join(b"h%d: x\r\n" % n for n in range(999)),
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n" % COLLECTION,
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}"
        % COLLECTION,
        b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        % COLLECTION,
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_no_http_is_refused_by_the_web_server(base_url: str, content: bytes) -> None:
    answer = raw.send(base_url, content)

    assert raw.refused_by_the_web_server(answer)
    assert answer.body
    assert error_code(raw.send(base_url, raw.request(b"GET", b"/nowhere"))) == "unknown_url"


def test_a_chunked_body_is_answered_before_it_ends(base_url: str) -> None:
    headers = [AS_JSON, (b"Transfer-Encoding", b"chunked")]
    unfinished = raw.request(b"POST", COLLECTION, headers) + b"ffff\r\n{"

    answer = raw.send(base_url, unfinished)

    assert answer.status == 411
    assert error_code(answer) == "length_required"
