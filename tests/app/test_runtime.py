"""The local host answers as the library that runs the app in Azure does."""

import re
import sys
from collections.abc import Iterator

import pytest

from tests.support.cosmos_wire import CosmosWire
from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest
from tests.support.servers import serve_runtime_host

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="azure-functions-runtime serves Python 3.13 and later"
)

# What differs from one request to the next by its nature.
VARYING = {"x-request-id", "openai-processing-ms", "date", "etag"}


@pytest.fixture(scope="module")
def runtime(wire: CosmosWire) -> Iterator[Rest]:
    with serve_runtime_host(wire.url) as server:
        yield Rest(server.url)


@pytest.fixture(scope="module")
def local(wired_url: str) -> Rest:
    return Rest(wired_url)


def comparable(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    headers = {name: value for name, value in answer.headers.items() if name not in VARYING}
    body = re.sub(rb"conv_[0-9a-f]{48}", b"conv_ID", answer.body)
    return answer.status, headers, re.sub(rb'"created_at":\d+', b'"created_at":TIME', body)


@pytest.mark.parametrize("key", [None, "alice", "a,b", ""])
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", CONVERSATIONS, b'{"metadata": {"\xc3\xa9": "\\ud83e\\uddea"}}'),
        ("POST", CONVERSATIONS, b"{"),
        ("POST", CONVERSATIONS, None),
        ("POST", f"{CONVERSATIONS}/conv_missing", b'{"metadata": {}}'),
        ("POST", f"{CONVERSATIONS}/conv_missing", b'{"foo": 1}'),
        ("POST", f"{CONVERSATIONS}/a%2Fb%20c%C3%A9", b"{}"),
        ("GET", f"{CONVERSATIONS}/conv_missing?a=&b=c", None),
        ("GET", f"{CONVERSATIONS}/%FF", None),
        ("DELETE", f"{CONVERSATIONS}/conv_missing/", None),
        ("HEAD", f"{CONVERSATIONS}/conv_missing", None),
        ("OPTIONS", "/OPENAI/v1/Conversations", None),
        ("PROPFIND", "/", None),
    ],
)
def test_the_answers_are_equal(
    local: Rest, runtime: Rest, method: str, path: str, body: bytes | None, key: str | None
) -> None:
    answers = [
        host.as_user(key).send(method, path, body, {**JSON, "x-ms-client-request-id": "mine"})
        for host in (local, runtime)
    ]

    assert comparable(answers[0]) == comparable(answers[1])
    assert answers[0].status != 500


def test_one_host_reads_what_the_other_wrote(local: Rest, runtime: Rest) -> None:
    conversation = local.as_user("alice").create({"a": "1"})

    updated = runtime.as_user("alice").update(conversation["id"], {"metadata": {"b": "2"}})

    assert updated.status == 200
    assert local.as_user("alice").retrieve(conversation["id"]).json() == updated.json()
    assert local.as_user("bob").retrieve(conversation["id"]).status == 404


def test_the_request_id_is_the_callers_trace_id(runtime: Rest) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"

    answer = runtime.send("GET", "/x", headers={"traceparent": f"00-{trace_id}-{'1' * 16}-01"})

    assert answer.status == 404
    assert answer.headers["x-request-id"].partition("-")[0] == trace_id
