"""Whatever a caller sends, the answer is the contract's: no 5xx, no empty body, no long wait."""

import gzip
import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_from_bytes

import pytest

from tests.support import raw
from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest

MAX_BODY = 131_072
COLLECTION = CONVERSATIONS.encode()
AS_JSON = (b"Content-Type", b"application/json")
ISOLATION_KEY = b"x-ms-user-isolation-key"

# The codes that a caller can provoke while the database is well (docs/contract.md#errors).
CODES: dict[int, set[str | None]] = {
    400: {
        "missing_required_parameter",
        "unknown_parameter",
        "invalid_type",
        "invalid_value",
        "object_above_max_properties",
        "property_name_above_max_length",
        "string_above_max_length",
        "invalid_json",
    },
    404: {None, "unknown_url"},
    405: {"method_not_allowed"},
    411: {"length_required"},
    413: {"request_too_large"},
    415: {"unsupported_media_type"},
}


def assert_of_the_contract(answer: Answer, *, head: bool = False) -> None:
    """Fail unless the answer has the contract's headers and one of its bodies."""
    assert answer.status == 200 or answer.status in CODES
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert re.fullmatch("[0-9a-f]{32}-[0-9a-f]{16}", answer.headers["x-request-id"])
    assert re.fullmatch("[0-9]+", answer.headers["openai-processing-ms"])
    if head:
        assert answer.body == b""
        return
    # Half a surrogate pair is no character: a strict parser would refuse the answer.
    json.dumps(json.loads(answer.body.decode()), ensure_ascii=False).encode()
    if answer.status != 200:
        assert_error(answer)
    elif answer.json()["object"] == "conversation":
        assert list(answer.json()) == ["id", "object", "created_at", "metadata"]
    else:
        assert list(answer.json()) == ["id", "object", "deleted"]


def assert_error(answer: Answer) -> None:
    error = answer.error
    details = error.pop("details", None)
    for one in [error, *(details or [])]:
        assert list(one) == ["message", "type", "param", "code"]
        assert one["type"] == "invalid_request_error"
        assert one["code"] in CODES[answer.status]
        assert isinstance(one["message"], str)
        assert one["message"]
        assert one["param"] is None or isinstance(one["param"], str)
    if details is not None:
        assert len(details) > 1
        assert details[0] == error


def code(answer: Answer) -> str | None:
    assert_of_the_contract(answer)
    found = answer.error["code"]
    assert found is None or isinstance(found, str)
    return found


@pytest.fixture(scope="module")
def target(base_url: str) -> Rest:
    """The app for a user of this module's own."""
    return Rest(base_url, "hostile")


@pytest.fixture(scope="module")
def conversation_id(target: Rest) -> str:
    """A conversation that the tests of this module may update."""
    return str(target.create()["id"])


# The fuzzer. Every request comes from its seed alone, so a failure can be repeated.

PIECES = (
    *"\0\n\r\t\x1b\x7f\x85\u2028\ufeff\ufffe\U0010ffff\u0130\u212a\u00e9\u754c\U0001f9ea",
    *"'\"\\/~%$ a",
    *("e\u0301", "%00", "..", "../", "~1", "{}", "[key]", "__proto__", "metadata", "items", "id"),
    *("", "null", "true", "<script>", "%s%n", "{{7*7}}", "' OR 1=1--", "${jndi:ldap://localhost/}"),
)
BYTES = (
    *(b"\0", b"\x1f", b"\x7f", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"\xef\xbb\xbf"),
    *rb"""\ud800 \u0000 \ " ' { } [ ] , : NaN -Infinity 1e999 -0 01 // /**/ null""".split(),
    *(b" ", b"\n", b"9" * 400),
)
METHODS = (
    *(b"POST",) * 20,
    *(b"GET", b"DELETE", b"HEAD", b"OPTIONS", b"PUT", b"PATCH", b"TRACE", b"PROPFIND", b"M-SEARCH"),
)
CONTENT_TYPES = (
    *(b"application/json",) * 40,
    *b"application/merge-patch+json text/plain ; multipart/form-data application/\xff+json".split(),
    *(b"APPLICATION/JSON; charset=utf-16", b"application/json, application/json", b""),
)
HEADER_NAMES = (
    *(ISOLATION_KEY,) * 4,
    *b"X-MS-USER-ISOLATION-KEY x-ms-client-request-id traceparent Host Accept".split(),
    *b"Content-Encoding Expect Range If-Match Cookie Authorization Origin Upgrade TE Date".split(),
    *b"X-HTTP-Method-Override X-Forwarded-For X-Forwarded-Host X-Original-URL".split(),
)
# What every HTTP server refuses in a header value (RFC 9110, 5.5).
NO_HEADER_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True)
class Attack:
    """A request; one that is no HTTP the web server may refuse by itself."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes | None

    @property
    def malformed(self) -> bool:
        """Whether it is no HTTP."""
        hosts = sum(name == b"Host" for name, _ in self.headers)
        return hosts > 1 or any(NO_HEADER_VALUE.search(value) for _, value in self.headers)

    def __bytes__(self) -> bytes:
        return raw.request(self.method, self.target, self.headers, self.body)


def attacks(seed: str, count: int, conversation_id: str) -> Iterator[Attack]:
    chance = random.Random(seed)
    for _ in range(count):
        body = a_body(chance)
        headers = [
            (chance.choice(HEADER_NAMES), a_header_value(chance))
            for _ in range(chance.choice((0, 0, 0, 0, 0, 1, 2)))
        ]
        if not any(name.lower() == ISOLATION_KEY for name, _ in headers):
            headers.append((ISOLATION_KEY, b"hostile"))
        if chance.random() < 0.95:
            headers.append((b"Content-Type", chance.choice(CONTENT_TYPES)))
        if chance.random() < 0.03:
            headers.append((b"Transfer-Encoding", b"chunked"))
            body = None
        yield Attack(chance.choice(METHODS), a_target(chance, conversation_id), headers, body)


def a_text(chance: random.Random) -> str:
    text = "".join(chance.choices(PIECES, k=chance.randint(0, 4)))
    return text * chance.choices((1, 20, 300), (40, 2, 1))[0]


def a_target(chance: random.Random, conversation_id: str) -> bytes:
    segment = chance.choice(
        (
            *(conversation_id,) * 12,
            conversation_id.upper(),
            "conv_" + "0" * chance.choice((0, 1, 48, 123, 124, 2000)),
            quote("conv_" + a_text(chance)[:300], safe=""),
            quote(a_text(chance)[:300], safe="/"),
            quote_from_bytes(chance.randbytes(4), safe=""),
            chance.choice(
                ("%c0%ae%c0%ae", "%2e%2e%2f", "%252f", "%", "%zz", "%u0041", "..", "\\..\\")
            ),
        )
    )
    path = chance.choice((*(f"{CONVERSATIONS}/{segment}",) * 6, CONVERSATIONS, f"/{segment}"))
    query = chance.choice(("", "", "", "?", "?api-version=%ff", "?a=1&a=2&&=", "?" + "q" * 2000))
    return (path + query).encode()


def a_header_value(chance: random.Random) -> bytes:
    if chance.random() < 0.2:
        return chance.randbytes(chance.randint(0, 8))
    return a_text(chance).encode()[:4000]


def a_body(chance: random.Random) -> bytes | None:
    if chance.random() < 0.1:
        return chance.choice((None, b"", b"null", b" ", chance.randbytes(20), b"\xef\xbb\xbf{}"))
    value: Any = {
        "metadata": {a_text(chance): a_text(chance) for _ in range(chance.randint(0, 18))}
    }
    if chance.random() < 0.4:
        value = chance.choice((value, {"metadata": a_value(chance)}, a_value(chance)))
    body = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode()
    for _ in range(chance.choice((0, 0, 0, 0, 1, 3))):
        at, length = chance.randrange(len(body) + 1), chance.choice((0, 0, 1, 5))
        body = body[:at] + chance.choice(BYTES) + body[at + length :]
    return body


def a_value(chance: random.Random, depth: int = 0) -> Any:
    if depth < 5 and chance.random() < 0.6:
        if chance.random() < 0.5:
            return [a_value(chance, depth + 1) for _ in range(chance.randint(0, 4))]
        return {a_text(chance): a_value(chance, depth + 1) for _ in range(chance.randint(0, 4))}
    return chance.choice((None, True, 0, -1.5, 10**30, float("inf"), float("nan"), a_text(chance)))


@pytest.mark.parametrize("seed", range(8))
def test_a_fuzzed_request_gets_an_answer_of_the_contract(target: Rest, seed: int) -> None:
    for lot in range(20):
        # Some of the requests delete it.
        conversation_id = target.create()["id"]
        for attack in attacks(f"{seed}/{lot}", 50, conversation_id):
            answer = raw.send(target.base_url, bytes(attack))
            try:
                assert_withstood(attack, answer)
            except Exception as error:
                error.add_note(f"seed {seed}, lot {lot}: {bytes(attack)!r}\n{answer}")
                raise


def assert_withstood(attack: Attack, answer: Answer) -> None:
    head = attack.method == b"HEAD"
    if attack.malformed and raw.refused_by_the_web_server(answer):
        assert head or answer.body
        return
    assert_of_the_contract(answer, head=head)
    if answer.status == 200 and attack.method == b"POST":
        # What was accepted is JSON to others too, and is what was answered.
        sent = json.loads((attack.body or b"null").decode()) or {}
        assert answer.json()["metadata"] == (sent.get("metadata") or {})


# What the fuzzer found, and what it would need luck to find.


@pytest.mark.parametrize(
    "host", [b"[", b"a\xe2\x84\x80b", b"", b"a:b:c", b"localhost:99999", b"a?b/c", b"/\xff"]
)
def test_no_host_header_breaks_an_unknown_url(base_url: str, host: bytes) -> None:
    answer = raw.send(base_url, raw.request(b"GET", b"/nowhere?a/b", [(b"Host", host)]))

    assert answer.status == 404
    assert code(answer) == "unknown_url"
    assert answer.error["message"] == "Invalid URL (GET /nowhere)."


@pytest.mark.parametrize(
    ("method", "target_"),
    [(b"OPTIONS", b"*"), (b"CONNECT", b"localhost:443"), (b"GET", b"http://localhost/nowhere")],
)
def test_a_target_that_is_no_path_gets_an_answer(
    base_url: str, method: bytes, target_: bytes
) -> None:
    assert code(raw.send(base_url, raw.request(method, target_))) == "unknown_url"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "bogus"])
def test_a_compressed_body_is_not_unpacked(
    target: Rest, conversation_id: str, encoding: str
) -> None:
    bomb = gzip.compress(b'{"metadata": {"k": "' + b" " * 50_000_000 + b'"}}')

    answer = target.send(
        "POST",
        f"{CONVERSATIONS}/{conversation_id}",
        bomb,
        {**JSON, "Content-Encoding": encoding},
    )

    assert answer.status == 400
    assert code(answer) == "invalid_json"


@pytest.mark.parametrize("size", [MAX_BODY - 1, MAX_BODY])
def test_a_body_up_to_the_size_limit_is_read(target: Rest, conversation_id: str, size: int) -> None:
    answer = target.update(conversation_id, b'{"metadata": {}}'.ljust(size))

    assert answer.status == 200
    assert answer.json()["metadata"] == {}


@pytest.mark.parametrize("size", [MAX_BODY + 1, 1_048_577, 8_000_000])
def test_a_body_over_the_size_limit_is_refused_in_json(
    target: Rest, conversation_id: str, size: int
) -> None:
    answer = target.update(conversation_id, b'{"metadata": {}}'.ljust(size))

    assert answer.status == 413
    assert code(answer) == "request_too_large"
    assert str(MAX_BODY) in answer.error["message"]
    assert str(size) in answer.error["message"]


def full(unit: str, *, before: str = "", after: str = "") -> bytes:
    """The unit as often as the size limit allows, between `before` and `after`."""
    room = MAX_BODY - len(before) - len(after)
    return (before + unit * (room // len(unit)) + after).encode()


def numbered(template: str, *, before: str, after: str) -> bytes:
    """As many different units, joined with commas, as the size limit allows."""
    unit_bytes = len(template.format("0" * 5)) + 1
    count = (MAX_BODY - len(before) - len(after)) // unit_bytes
    return (before + ",".join(template.format(f"{n:05x}") for n in range(count)) + after).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(full("["), "invalid_json", id="brackets"),
        pytest.param(full('{"":'), "invalid_json", id="braces"),
        pytest.param(full("[{}]", before="[" * 64), "invalid_json", id="deep-at-every-place"),
        pytest.param(full('"[', before="[" * 65), "invalid_json", id="brackets-in-strings"),
        pytest.param(full("\\", before="[" * 65 + '"'), "invalid_json", id="backslashes"),
        pytest.param(full("9", before='{"metadata":', after="}"), "invalid_type", id="digits"),
        pytest.param(full("9", before='{"metadata":0.', after="}"), "invalid_type", id="decimals"),
        pytest.param(full("9", before='{"metadata":1e', after="}"), "invalid_type", id="exponent"),
        pytest.param(full("9", before='{"metadata":-'), "invalid_json", id="digits-unfinished"),
        pytest.param(full("[],", before="[", after="0]"), "invalid_type", id="empty-arrays"),
        pytest.param(full("{},", before="[", after="0]"), "invalid_type", id="empty-objects"),
        pytest.param(full(" "), "invalid_json", id="blanks"),
        pytest.param(full("\\ud800", before='{"', after='":0}'), "invalid_json", id="surrogates"),
        pytest.param(full('"a":0,', before="{", after='"a":0}'), "invalid_json", id="duplicates"),
        pytest.param(
            numbered('"{}":0', before='{"00000":0,', after="}"), "invalid_json", id="one-duplicate"
        ),
        pytest.param(
            numbered('"{}":0', before="{", after="}"), "missing_required_parameter", id="properties"
        ),
        pytest.param(
            numbered('"{}":0', before='{"metadata":{', after="}}"), "invalid_type", id="pairs"
        ),
        pytest.param(
            numbered('"' + "{0}" * 13 + '":""', before='{"metadata":{', after="}}"),
            "object_above_max_properties",
            id="long-keys",
        ),
        pytest.param(
            full("\\u0061", before='{"metadata":{"', after='":""}}'),
            "property_name_above_max_length",
            id="escaped-key",
        ),
        pytest.param(
            full("a", before='{"metadata":{"k":"', after='"}}'),
            "string_above_max_length",
            id="long-value",
        ),
    ],
)
def test_a_bomb_is_refused_within_seconds(
    target: Rest, conversation_id: str, body: bytes, expected: str
) -> None:
    assert MAX_BODY - 100 < len(body) <= MAX_BODY

    started = time.perf_counter()
    answer = target.update(conversation_id, body)
    seconds = time.perf_counter() - started

    assert answer.status == 400
    assert code(answer) == expected
    # Many times what the slowest needs, so that a busy machine passes; quadratic work would not.
    assert seconds < 5


@pytest.mark.parametrize("depth", [1, 2, 30, 63, 64, 65, 1000])
@pytest.mark.parametrize("opening", ['{"a":', "[", '{"a":[{"b":'])
def test_a_duplicate_key_is_refused_at_any_depth(
    target: Rest, conversation_id: str, opening: str, depth: int
) -> None:
    closing = "".join({"{": "}", "[": "]"}.get(character, "") for character in reversed(opening))
    body = opening * depth + '{"d": 1, "d": 2}' + closing * depth

    answer = target.update(conversation_id, body.encode())

    assert answer.status == 400
    assert code(answer) == "invalid_json"


CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]


def test_every_control_character_survives_in_keys_and_values(
    target: Rest, conversation_id: str
) -> None:
    for first in range(0, len(CONTROLS), 16):
        metadata = {f"<{chr(n)}>": f"<{chr(n)}>" for n in CONTROLS[first : first + 16]}

        answer = target.update(conversation_id, {"metadata": metadata})

        assert answer.status == 200
        assert answer.json()["metadata"] == metadata
        assert target.retrieve(conversation_id).json()["metadata"] == metadata


@pytest.mark.parametrize("template", ['{{"metadata":{{"{}":""}}}}', '{{"metadata":{{"":"{}"}}}}'])
def test_a_control_character_must_be_escaped_in_json(
    target: Rest, conversation_id: str, template: str
) -> None:
    for number in range(0x20):
        answer = target.update(conversation_id, template.format(chr(number)).encode())

        assert answer.status == 400
        assert code(answer) == "invalid_json"


def test_every_control_character_in_an_id_is_refused_and_quoted_back(target: Rest) -> None:
    for number in CONTROLS:
        character = chr(number)
        answer = target.retrieve(f"conv_{quote(character)}")

        assert answer.status == 400
        assert code(answer) == "invalid_value"
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
    target: Rest, escape: str, shown: str
) -> None:
    answer = target.delete(f"conv_{escape}")

    assert answer.status == 400
    assert code(answer) == "invalid_value"
    assert answer.error["message"].startswith(f"Invalid 'conversation_id': 'conv_{shown}'.")


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
    "value", [b"a\tb", b"", b"\xc3\xa9", b"\xff", b"\xed\xa0\x80", b"a,b", b",", b"a" * 513]
)
def test_what_http_lets_pass_is_still_no_isolation_key(base_url: str, value: bytes) -> None:
    headers = [(ISOLATION_KEY, value)]
    answer = raw.send(base_url, raw.request(b"GET", COLLECTION + b"/conv_1", headers))

    assert answer.status == 400
    assert code(answer) == "invalid_value"
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

    assert code(answer) == "unknown_url"


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
    assert code(raw.send(base_url, raw.request(b"GET", b"/nowhere"))) == "unknown_url"


def test_a_chunked_body_is_answered_before_it_ends(base_url: str) -> None:
    headers = [AS_JSON, (b"Transfer-Encoding", b"chunked")]
    unfinished = raw.request(b"POST", COLLECTION, headers) + b"ffff\r\n{"

    answer = raw.send(base_url, unfinished)

    assert answer.status == 411
    assert code(answer) == "length_required"


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"metadata": {}}',
        *(
            b'{"metadata": {"k": %s}}' % word
            for word in (b"NaN", b"Infinity", b"-Infinity", b"1_0")
        ),
        *(
            b'{"metadata": {"k": "%s"}}' % half
            for half in (b"\\ud800", b"\\udfff", b"\\udc00\\ud800")
        ),
        *(
            b'{"metadata": {"%s": ""}}' % half
            for half in (b"\\ud800", b"\\uDFFF", b"\\ud83ex\\uddea")
        ),
        b'{"\\ud800": 1}',
        b'{"\\ud800": 1, "\\ud800": 2}',
        b'"\\ud800"',
        '{"metadata": {}}'.encode("utf-16-le"),
    ],
    ids=repr,
)
def test_what_only_a_lenient_parser_takes_is_refused(
    target: Rest, conversation_id: str, body: bytes
) -> None:
    answer = target.update(conversation_id, body)

    assert answer.status == 400
    assert code(answer) == "invalid_json"
    assert "failed to parse JSON value" in answer.error["message"]


@pytest.mark.parametrize(
    "bytes_",
    [
        b"\xff",
        b"\xc0\x80",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xe2\x82",
        b"\x80",
    ],
    ids=repr,
)
@pytest.mark.parametrize("template", [b'{"metadata": {"k": "%s"}}', b'{"%s": 1}', b"%s"], ids=repr)
def test_no_utf8_is_refused_wherever_it_stands(
    target: Rest, conversation_id: str, template: bytes, bytes_: bytes
) -> None:
    answer = target.update(conversation_id, template % bytes_)

    assert answer.status == 400
    assert code(answer) == "invalid_json"
    assert "unicode decode error" in answer.error["message"]


def test_a_surrogate_pair_is_a_character(target: Rest, conversation_id: str) -> None:
    answer = target.update(conversation_id, b'{"metadata": {"\\ud83e\\uddea": "\\uD83E\\uDDEA"}}')

    assert answer.status == 200
    assert answer.json()["metadata"] == {"\U0001f9ea": "\U0001f9ea"}
