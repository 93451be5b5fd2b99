"""Hypothesis strategies for bodies that are made to break a server: texts, JSON, nearly JSON.

Draws what is valid most of the time, since most faults hide behind a valid first half. Knows
nothing of what the answer should be.
"""

import json
from collections.abc import Iterable, Sequence

import hypothesis.strategies as st

from tests.support.limits import METADATA_PAIRS

# What has broken parsers, templates, queries, paths or logs somewhere.
PIECES = (
    *"\0\n\r\t\x1b\x7f\x85\u2028\ufeff\ufffe\U0010ffff\u0130\u212a\u00e9\u754c\U0001f9ea",
    *"'\"\\/~%$ a",
    *("e\u0301", "%00", "..", "../", "~1", "{}", "[key]", "__proto__", "metadata", "items", "id"),
    *("null", "true", "<script>", "%s%n", "{{7*7}}", "' OR 1=1--", "${jndi:ldap://localhost/}"),
)
BYTES = (
    *(b"\0", b"\x1f", b"\x7f", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xe2\x82", b"\xef\xbb\xbf"),
    *rb"""\ud800 \u0000 \ " ' { } [ ] , : NaN -Infinity 1e999 -0 01 // /**/ null""".split(),
    *(b" ", b"\n", b"\r\n", b"9" * 400),
)

# Texts. Drawn from ready-made parts, since a draw costs more than sending what was drawn.

_PIECE = st.sampled_from(PIECES)
# How many pieces, and how often all of them together; few texts are beyond every limit.
_SIZE = st.sampled_from(
    (*((1, 1),) * 10, *((0, 1),) * 3, *((2, 1), (3, 1), (4, 1)) * 2, (1, 20), (2, 300))
)
# One time in twenty. Not of integers(), which prefers both ends.
SELDOM = st.sampled_from((False,) * 19 + (True,))
_RARELY = st.sampled_from((False,) * 49 + (True,))


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A few pieces, seldom repeated beyond every limit."""
    pieces, times = draw(_SIZE)
    return "".join(draw(_PIECE) for _ in range(pieces)) * times


_CUT = st.sampled_from((0, 0, 1, 5))
_BYTES = st.sampled_from(BYTES)


@st.composite
def spliced(draw: st.DrawFn, contents: st.SearchStrategy[bytes], times: Sequence[int]) -> bytes:
    """The content with bytes put in, or in place of others, one of `times` times."""
    content = draw(contents)
    for _ in range(draw(st.sampled_from(times))):
        start = draw(st.integers(0, len(content)))
        content = content[:start] + draw(_BYTES) + content[start + draw(_CUT) :]
    return content


# JSON, drawn as text: a value can neither repeat a key nor hold half a surrogate pair.

_LITERAL = st.sampled_from(
    ("null", "true", "false", "0", "-1.5", "1e30", "1e999", "-0", "9007199254740993", "9" * 400)
)
_NO_JSON = st.sampled_from(("NaN", "-Infinity", "01", "1_0", "undefined", ""))
_ASCII = st.booleans()
_FEW = st.integers(0, 3)
_KIND = st.sampled_from(("string", "literal", "string", "array", "object"))
_OTHER_KIND = st.sampled_from(("null", "true", "0", "-1.5", "[]", "{}", "NaN", '"\\ud800"'))
_PAIRS = st.sampled_from((1, 2, 3, 1, 2, 3, 1, 2, 0, *range(METADATA_PAIRS, METADATA_PAIRS + 3)))
_ITEM_NAME = st.sampled_from(
    ("type", "role", "content", "id", "call_id", "name", "arguments", "output", "status", "action")
)
_ITEM_WORD = st.sampled_from(
    ("message", "user", "assistant", "reasoning", "function_call", "item_reference", "msg_1", "x")
)


@st.composite
def json_strings(draw: st.DrawFn) -> str:
    """A string of JSON, its characters as escapes or not; rarely one of half a character."""
    if draw(_RARELY):
        return '"\\ud800"'
    return json.dumps(draw(texts()), ensure_ascii=draw(_ASCII))


@st.composite
def json_texts(draw: st.DrawFn, depth: int = 3) -> str:
    """Any value of JSON up to this depth, seldom with something in it that is none."""
    if draw(SELDOM):
        return draw(_NO_JSON)
    match draw(_KIND):
        case "array" if depth:
            return _array(draw(json_texts(depth - 1)) for _ in range(draw(_FEW)))
        case "object" if depth:
            return _object(
                (draw(json_strings()), draw(json_texts(depth - 1))) for _ in range(draw(_FEW))
            )
        case "string":
            return draw(json_strings())
    return draw(_LITERAL)


@st.composite
def metadata(draw: st.DrawFn) -> str:
    """A metadata object, within the limits or just beyond them. A key may come twice.

    Seldom, a value is no string.
    """
    size = draw(_PAIRS)
    return _object(
        (draw(json_strings()), draw(_OTHER_KIND) if draw(SELDOM) else draw(json_strings()))
        if number < 3
        else (f'"{number}"', '""')
        for number in range(size)
    )


@st.composite
def items(draw: st.DrawFn) -> str:
    """An array of input items, with the properties of real ones, whose values may be anything."""
    return _array(
        _object(
            (
                json.dumps(draw(_ITEM_NAME)),
                draw(json_texts(1)) if draw(SELDOM) else json.dumps(draw(_ITEM_WORD)),
            )
            for _ in range(draw(_FEW))
        )
        for _ in range(draw(_FEW))
    )


_ANATOMY = st.sampled_from(
    (
        *(("metadata",),) * 5,
        *(("items",), ("metadata", "items"), ("any",), ("metadata", "other"), ("any metadata",)),
        ("any items", "metadata"),
    )
)


@st.composite
def objects(draw: st.DrawFn) -> bytes:
    """The JSON text of a body for any operation, or of any value."""
    drawn = []
    for part in draw(_ANATOMY):
        match part:
            case "metadata":
                drawn.append(('"metadata"', draw(metadata())))
            case "items":
                drawn.append(('"items"', draw(items())))
            case "any metadata":
                drawn.append(('"metadata"', draw(json_texts())))
            case "any items":
                drawn.append(('"items"', draw(json_texts())))
            case "other":
                drawn.append((draw(json_strings()), "0"))
            case _:
                return draw(json_texts()).encode()
    return _object(drawn).encode()


def bodies() -> st.SearchStrategy[bytes | None]:
    """A body for any operation. None: none at all."""
    return st.one_of(
        *[spliced(objects(), times=(0, 0, 0, 0, 0, 0, 1, 3))] * 20,
        st.sampled_from((None, b"", b"null", b" ", b"{}", b"\xef\xbb\xbf{}")),
        st.binary(max_size=20),
    )


def _array(values: Iterable[str]) -> str:
    return f"[{','.join(values)}]"


def _object(pairs: Iterable[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{key}:{value}" for key, value in pairs) + "}"
