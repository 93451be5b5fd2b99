"""Bodies that have broken servers: bombs, characters that are none, what only some parsers take."""

import gzip
import time

import pytest

from tests.support.contract import error_code
from tests.support.limits import JSON_DEPTH, UPDATE_BYTES
from tests.support.rest import CONVERSATIONS, JSON, Rest


@pytest.fixture
def conversation_id(rest: Rest) -> str:
    return str(rest.create()["id"])


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "bogus"])
def test_a_compressed_body_is_not_unpacked(rest: Rest, conversation_id: str, encoding: str) -> None:
    bomb = gzip.compress(b'{"metadata": {"k": "' + b" " * 50_000_000 + b'"}}')

    answer = rest.send(
        "POST",
        f"{CONVERSATIONS}/{conversation_id}",
        bomb,
        {**JSON, "Content-Encoding": encoding},
    )

    assert answer.status == 400
    assert error_code(answer) == "invalid_json"


@pytest.mark.parametrize("size", [UPDATE_BYTES - 1, UPDATE_BYTES])
def test_a_body_up_to_the_size_limit_is_read(rest: Rest, conversation_id: str, size: int) -> None:
    answer = rest.update(conversation_id, b'{"metadata": {}}'.ljust(size))

    assert answer.status == 200
    assert answer.json()["metadata"] == {}


@pytest.mark.parametrize("size", [UPDATE_BYTES + 1, 1_048_577, 8_000_000])
def test_a_body_over_the_size_limit_is_refused_in_json(
    rest: Rest, conversation_id: str, size: int
) -> None:
    answer = rest.update(conversation_id, b'{"metadata": {}}'.ljust(size))

    assert answer.status == 413
    assert error_code(answer) == "request_too_large"
    assert str(UPDATE_BYTES) in answer.error["message"]
    assert str(size) in answer.error["message"]


def full(unit: str, *, before: str = "", after: str = "") -> bytes:
    """The unit as often as the size limit allows, between `before` and `after`."""
    room = UPDATE_BYTES - len(before) - len(after)
    return (before + unit * (room // len(unit)) + after).encode()


def numbered(template: str, *, before: str, after: str) -> bytes:
    """As many different units, joined with commas, as the size limit allows."""
    unit_bytes = len(template.format("0" * 5)) + 1
    count = (UPDATE_BYTES - len(before) - len(after)) // unit_bytes
    return (before + ",".join(template.format(f"{n:05x}") for n in range(count)) + after).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        pytest.param(full("["), "invalid_json", id="brackets"),
        pytest.param(full('{"":'), "invalid_json", id="braces"),
        pytest.param(
            full("[{}]", before="[" * JSON_DEPTH), "invalid_json", id="deep-at-every-place"
        ),
        pytest.param(
            full('"[', before="[" * (JSON_DEPTH + 1)), "invalid_json", id="brackets-in-strings"
        ),
        pytest.param(
            full("\\", before="[" * (JSON_DEPTH + 1) + '"'), "invalid_json", id="backslashes"
        ),
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
    rest: Rest, conversation_id: str, body: bytes, expected: str
) -> None:
    assert UPDATE_BYTES - 100 < len(body) <= UPDATE_BYTES

    started = time.perf_counter()
    answer = rest.update(conversation_id, body)
    seconds = time.perf_counter() - started

    assert answer.status == 400
    assert error_code(answer) == expected
    # Many times what the slowest needs, so that a busy machine passes; quadratic work would not.
    assert seconds < 5


@pytest.mark.parametrize("depth", [1, 2, 30, JSON_DEPTH - 1, JSON_DEPTH, JSON_DEPTH + 1, 1000])
@pytest.mark.parametrize("opening", ['{"a":', "[", '{"a":[{"b":'])
def test_a_duplicate_key_is_refused_at_any_depth(
    rest: Rest, conversation_id: str, opening: str, depth: int
) -> None:
    closing = "".join({"{": "}", "[": "]"}.get(character, "") for character in reversed(opening))
    body = opening * depth + '{"d": 1, "d": 2}' + closing * depth

    answer = rest.update(conversation_id, body.encode())

    assert answer.status == 400
    assert error_code(answer) == "invalid_json"


CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]


def test_every_control_character_survives_in_keys_and_values(
    rest: Rest, conversation_id: str
) -> None:
    for first in range(0, len(CONTROLS), 16):
        metadata = {f"<{chr(n)}>": f"<{chr(n)}>" for n in CONTROLS[first : first + 16]}

        answer = rest.update(conversation_id, {"metadata": metadata})

        assert answer.status == 200
        assert answer.json()["metadata"] == metadata
        assert rest.retrieve(conversation_id).json()["metadata"] == metadata


@pytest.mark.parametrize("template", ['{{"metadata":{{"{}":""}}}}', '{{"metadata":{{"":"{}"}}}}'])
def test_a_control_character_must_be_escaped_in_json(
    rest: Rest, conversation_id: str, template: str
) -> None:
    for number in range(0x20):
        answer = rest.update(conversation_id, template.format(chr(number)).encode())

        assert answer.status == 400
        assert error_code(answer) == "invalid_json"


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
    rest: Rest, conversation_id: str, body: bytes
) -> None:
    answer = rest.update(conversation_id, body)

    assert answer.status == 400
    assert error_code(answer) == "invalid_json"
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
    rest: Rest, conversation_id: str, template: bytes, bytes_: bytes
) -> None:
    answer = rest.update(conversation_id, template % bytes_)

    assert answer.status == 400
    assert error_code(answer) == "invalid_json"
    assert "unicode decode error" in answer.error["message"]


def test_a_surrogate_pair_is_a_character(rest: Rest, conversation_id: str) -> None:
    answer = rest.update(conversation_id, b'{"metadata": {"\\ud83e\\uddea": "\\uD83E\\uDDEA"}}')

    assert answer.status == 200
    assert answer.json()["metadata"] == {"\U0001f9ea": "\U0001f9ea"}
