"""Hypothesis strategies for requests that are made to break a server: headers, targets, bytes.

The bodies are in `json_strategies`. Knows nothing of what the answer should be.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, quote_from_bytes

import hypothesis.strategies as st

from tests.support import raw
from tests.support.json_strategies import SELDOM, bodies, spliced, texts
from tests.support.rest import CONVERSATIONS

CONVERSATION_ID = "{conversation_id}"
"""Stands in a target for the id of a conversation that is there: `Request.to` puts it in."""

# Every operation: its method, and the template of its path. A new operation is a line here, and a
# new kind of answer one in contract.py.
OPERATIONS = (
    (b"POST", CONVERSATIONS),
    (b"POST", f"{CONVERSATIONS}/{CONVERSATION_ID}"),
    (b"GET", f"{CONVERSATIONS}/{CONVERSATION_ID}"),
    (b"DELETE", f"{CONVERSATIONS}/{CONVERSATION_ID}"),
)

METHODS = tuple(b"GET POST DELETE HEAD OPTIONS PUT PATCH TRACE PROPFIND M-SEARCH".split())
ISOLATION_KEYS = (*b"x-ms-user-isolation-key X-MS-USER-ISOLATION-KEY x-ms-user-identity".split(),)
HEADER_NAMES = (
    *ISOLATION_KEYS,
    *b"If-Match If-None-Match Idempotency-Key x-ms-client-request-id traceparent".split(),
    *b"Host Accept Content-Encoding Expect Range Cookie Authorization Origin Upgrade TE".split(),
    *b"Date X-HTTP-Method-Override X-Forwarded-For X-Forwarded-Host X-Original-URL".split(),
)
CONTENT_TYPES = (
    *(b"application/json",) * 12,
    *b"application/merge-patch+json text/plain ; multipart/form-data application/\xff+json".split(),
    *(b"APPLICATION/JSON; charset=utf-16", b"application/json, application/json", b""),
)
QUERY_NAMES = (
    *("limit", "order", "after", "before", "item_type", "include", "include[]", "agent_id"),
    *("metadata", "metadata[k]", "metadata[k", "metadata[]", "metadata.k", "api-version"),
)

HOSTILE_SEGMENTS = (
    *("%c0%ae%c0%ae", "%2e%2e%2f", "%252f", "%", "%zz", "%u0041", "..", "\\..\\"),
    *(f"conv_{'0' * length}" for length in (0, 1, 48, 123, 124, 2000)),
    *(f"msg_{'0' * length}" for length in (0, 48, 60, 61)),
)

# Headers.

# What every HTTP server refuses in a header value (RFC 9110, 5.5).
_NO_HEADER_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

Header = tuple[bytes, bytes]

_HEADERS = st.sampled_from((0, 0, 0, 1, 1, 2))
_HEADER_NAME = st.sampled_from(HEADER_NAMES)
_CONTENT_TYPE = st.sampled_from(CONTENT_TYPES)


def header_values() -> st.SearchStrategy[bytes]:
    """The value of any header: lists, entity tags, keys, and what is none."""
    lists = ('"0123456789abcdef"', 'W/"a"', "*", '"', '"a","b"', ",", 'a, "b" ,,W/"c"', '"a" "b"')
    return (
        texts().map(lambda text: text.encode()[:4000])
        | st.sampled_from(lists).map(str.encode)
        | st.binary(max_size=8)
    )


@st.composite
def headers(draw: st.DrawFn) -> list[Header]:
    """Those of a request, without its length; a user's key unless another was drawn."""
    drawn = [(draw(_HEADER_NAME), draw(header_values())) for _ in range(draw(_HEADERS))]
    if not any(name in ISOLATION_KEYS for name, _ in drawn):
        drawn.append((ISOLATION_KEYS[0], b"hostile"))
    if not draw(SELDOM):
        drawn.append((b"Content-Type", draw(_CONTENT_TYPE)))
    return drawn


# Ids and paths.

_PREFIX = st.sampled_from(("conv_", "msg_", ""))
_SLASH = st.sampled_from(("", "/"))
_SEGMENT = st.sampled_from(HOSTILE_SEGMENTS)
_THERE = st.sampled_from((True, True, True, False))


@st.composite
def segments(draw: st.DrawFn) -> str:
    """What stands in a path where an id belongs, escaped or not."""
    return quote(draw(_PREFIX) + draw(texts())[:300], safe=draw(_SLASH))


def ids() -> st.SearchStrategy[str]:
    """A segment that is no id of anything, or no id at all."""
    return (
        _SEGMENT
        | segments()
        | st.binary(min_size=4, max_size=4).map(lambda drawn: quote_from_bytes(drawn, safe=""))
    )


_PARAMETERS = st.sampled_from((0, 0, 1, 2, 3))
_QUERY_NAME = st.sampled_from(QUERY_NAMES)
_QUERY_VALUE = st.sampled_from(
    ("1", "0", "101", "-1", "asc", "desc", "msg_1", "conv_1", "9" * 400, "", "%ff", "%00", "%", "+")
)


@st.composite
def queries(draw: st.DrawFn) -> str:
    """The part of a target from the question mark on: lists' parameters, and none."""
    size = draw(_PARAMETERS)
    pairs = (f"{draw(_QUERY_NAME)}={draw(_QUERY_VALUE | segments())}" for _ in range(size))
    return "?" + "&".join(pairs) if size else ""


@st.composite
def targets(draw: st.DrawFn, template: str) -> bytes:
    """A path of the template, with a query; `CONVERSATION_ID` is left for an id that is there."""
    path = f"/{draw(segments())}" if draw(SELDOM) else template
    for name in re.findall("{[a-z_]+}", path):
        if name != CONVERSATION_ID or not draw(_THERE):
            path = path.replace(name, draw(ids()))
    return (path + draw(queries())).encode()


# Requests.

_OPERATION = st.sampled_from(OPERATIONS)
_METHOD = st.sampled_from(METHODS)


@dataclass(frozen=True)
class Request:
    """A request whose target may name `CONVERSATION_ID`."""

    method: bytes
    target: bytes
    headers: list[Header]
    body: bytes | None

    @property
    def may_be_refused_by_the_web_server(self) -> bool:
        """Whether it is no HTTP: a header value of control characters, or two hosts."""
        hosts = sum(name == b"Host" for name, _ in self.headers)
        return hosts > 1 or any(_NO_HEADER_VALUE.search(value) for _, value in self.headers)

    def to(self, conversation_id: str) -> bytes:
        """The bytes to send, for a conversation that is there."""
        target = self.target.replace(CONVERSATION_ID.encode(), conversation_id.encode())
        return raw.request(self.method, target, self.headers, self.body)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """An operation's request, or nearly one."""
    method, template = draw(_OPERATION)
    if draw(SELDOM):
        method = draw(_METHOD)
    sent = draw(headers())
    if draw(SELDOM):
        sent.append((b"Transfer-Encoding", b"chunked"))
        return Request(method, draw(targets(template)), sent, None)
    return Request(method, draw(targets(template)), sent, draw(bodies()))


def raw_heads() -> st.SearchStrategy[bytes]:
    """The lines of a request before its last header, with bytes put in anywhere."""
    heads = [
        b"%s %s HTTP/1.1\r\nHost: localhost\r\nAccept: */*"
        % (method, template.replace(CONVERSATION_ID, "conv_1").encode())
        for method, template in OPERATIONS
    ]
    return spliced(st.sampled_from(heads), times=(1, 0, 2))
