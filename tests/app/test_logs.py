"""What the process writes: one line per request, and nothing that a caller or a secret said."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import web

from tests.support import raw
from tests.support.cosmos_wire import Answer as DatabaseAnswer
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.limits import METADATA_PAIRS, UPDATE_BYTES
from tests.support.rest import CONVERSATIONS, JSON, Answer, Rest
from tests.support.servers import Server, emulator_key, serve_host

# Every text that must not be logged has this in it.
MARKER = "Marker-3f9a"
KEY, VALUE, USER = f"{MARKER}-key", f"{MARKER}-value", f"{MARKER}-user"
# What only the database said: not for callers either.
DATABASE_SAID = f"{MARKER}-database"

REQUEST_LINE = re.compile(
    r"\S+ \S+ (?P<level>INFO|WARNING|ERROR) +"
    r"(?P<operation>(?:create|retrieve|update|delete)_conversation|zz_unknown_url) "
    r"status=(?P<status>\d{3}) code=(?P<code>[a-z_]+|-) duration_ms=(?P<duration>\d+\.\d) "
    r"request_charge=(?P<charge>\d+\.\d\d) attempts=(?P<attempts>\d+) "
    r'request_id=(?P<request_id>[0-9a-f]{32}-[0-9a-f]{16})(?: reason="[^"]+")?'
)


@dataclass(frozen=True)
class Host:
    """The host process under test, and its log of one test's requests."""

    rest: Rest
    server: Server
    logged_before: int = 0

    def lines(self) -> list[str]:
        """What it has logged."""
        log = self.server.log().partition("Ctrl-C stops.\n")[2]
        return log.splitlines()[self.logged_before :]

    def line_of(self, answer: Answer) -> re.Match[str]:
        """The one line that was logged of this answer's request."""
        (line,) = [line for line in self.lines() if answer.headers["x-request-id"] in line]
        found = REQUEST_LINE.fullmatch(line)
        assert found, line
        assert found["request_id"] == answer.headers["x-request-id"]
        assert int(found["status"]) == answer.status
        return found


@pytest.fixture(scope="module")
def server(wire: CosmosWire) -> Iterator[Server]:
    """A host process whose Cosmos DB is `wire`."""
    with serve_host(wire.url, COSMOS_TIMEOUT_SECONDS="1") as running:
        yield running


@pytest.fixture
def host(wire: CosmosWire, server: Server) -> Iterator[Host]:
    """The host, its database whole when the test starts."""
    wire.reset()
    host = Host(Rest(server.url, USER), server)
    yield replace(host, logged_before=len(host.lines()))
    wire.reset()


def assert_silent_about_secrets(host: Host, requests: int) -> None:
    """Fail unless there is a line for each of so many requests, and nothing else at all."""
    lines = host.lines()
    assert len(lines) == requests
    for line in lines:
        assert REQUEST_LINE.fullmatch(line), line
        assert MARKER not in line
        assert emulator_key() not in line


def send(host: Host, method: str, path: str, body: Any = None) -> Answer:
    """A request that says the marker wherever a request can say something."""
    content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return host.rest.send(
        method,
        f"{path}?secret={MARKER}",
        content,
        {
            **JSON,
            "Authorization": f"Bearer {MARKER}",
            "Cookie": MARKER,
            "User-Agent": MARKER,
            "x-ms-client-request-id": MARKER,
        },
    )


def test_a_success_leaves_one_line_without_its_data(host: Host) -> None:
    metadata = {"metadata": {KEY: VALUE}}
    created = send(host, "POST", CONVERSATIONS, metadata)
    path = f"{CONVERSATIONS}/{created.json()['id']}"
    answers = {
        "create_conversation": created,
        "retrieve_conversation": send(host, "GET", path),
        "update_conversation": send(host, "POST", path, metadata),
        "delete_conversation": send(host, "DELETE", path),
    }

    for operation, answer in answers.items():
        line = host.line_of(answer)
        assert answer.status == 200
        assert line["operation"] == operation
        assert (line["level"], line["code"]) == ("INFO", "-")
        # A delete looks for the items that it leaves, too.
        assert line["attempts"] == ("2" if operation == "delete_conversation" else "1")
        assert float(line["charge"]) > 0
        assert abs(float(line["duration"]) - int(answer.headers["openai-processing-ms"])) <= 1
        assert USER.encode() not in answer.body
    assert_silent_about_secrets(host, requests=4)


def refused(host: Host) -> list[tuple[int, Answer]]:
    """Every kind of 4xx that a caller can provoke, with its status."""
    item = f"{CONVERSATIONS}/conv_1"
    bad_bodies: list[Any] = [
        {KEY: VALUE},
        {"metadata": VALUE},
        {"metadata": {KEY: [VALUE]}},
        {"metadata": {KEY * 9: VALUE * 99}},
        {"metadata": {f"{KEY}{n}": VALUE for n in range(METADATA_PAIRS + 1)}},
        [VALUE],
        f'{{"{KEY}": 1, "{KEY}": 2}}'.encode(),
        f'{{"{VALUE}'.encode(),
        f'{{"{VALUE}": "\\ud800"}}'.encode(),
        VALUE.encode() + b"\xff",
    ]
    return [
        *((400, send(host, "POST", item, body)) for body in bad_bodies),
        (400, send(host, "GET", f"{CONVERSATIONS}/{MARKER}")),
        (400, send(host, "GET", f"{CONVERSATIONS}/conv_{MARKER}%0a")),
        (404, send(host, "GET", item)),
        (404, send(host, "POST", item, {"metadata": {KEY: VALUE}})),
        (404, send(host, "GET", f"/{MARKER}")),
        (405, send(host, "PUT", item, VALUE.encode())),
        (411, host.rest.send("POST", item, VALUE.encode(), JSON, chunked=True)),
        (413, send(host, "POST", item, VALUE.encode() * UPDATE_BYTES)),
        (415, host.rest.send("POST", item, VALUE.encode(), {"Content-Type": MARKER})),
    ]


def test_a_refusal_leaves_one_line_without_what_was_sent(host: Host) -> None:
    answers = refused(host)

    for status, answer in answers:
        assert answer.status == status
        line = host.line_of(answer)
        assert line["code"] == (answer.error["code"] or "-")
        assert line["level"] == "INFO"
        # Keys, ids and paths are quoted back to who sent them; values and users never are.
        assert VALUE.encode() not in answer.body
        assert USER.encode() not in answer.body
    assert_silent_about_secrets(host, requests=len(answers))


@pytest.mark.parametrize("key", [f"{MARKER},", f"{MARKER}\t.", MARKER * 99, f"{MARKER}\u00e9", ""])
def test_an_ill_formed_isolation_key_is_not_logged(host: Host, key: str) -> None:
    headers = [(b"x-ms-user-isolation-key", key.encode())]

    answer = raw.send(
        host.rest.base_url, raw.request(b"GET", b"/openai/v1/conversations/conv_1", headers)
    )

    assert answer.status == 400
    assert MARKER.encode() not in answer.body
    host.line_of(answer)
    assert_silent_about_secrets(host, requests=1)


@pytest.mark.parametrize(
    "content",
    [
        f"GET / HTTP/1.1\r\nHost: x\r\nx-ms-user-isolation-key: {MARKER}\x01\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nx-ms-user-isolation-key : {MARKER}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nx-ms-user-isolation-key: {MARKER * 999}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\n{MARKER}\r\n\r\n",
        f"{MARKER} / HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET /{MARKER}\x01 HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ids=repr,
)
def test_what_is_no_http_is_not_logged(host: Host, content: str) -> None:
    answer = raw.send(host.rest.base_url, content.encode())

    assert raw.refused_by_the_web_server(answer)
    assert_silent_about_secrets(host, requests=0)


def answering(status: int, sub_status: int = 0, body: str | None = None) -> Fault:
    """A database that answers every document request so, and says the marker."""

    async def fault(request: web.BaseRequest) -> DatabaseAnswer:
        if "/docs/" not in request.path:
            return None
        said = json.dumps({"code": DATABASE_SAID, "message": DATABASE_SAID})
        return web.Response(
            status=status,
            text=said if body is None else body,
            content_type="application/json",
            headers={
                "x-ms-substatus": str(sub_status),
                "x-ms-request-charge": "2.5",
                "x-ms-retry-after-ms": "5000",
                "x-ms-activity-id": DATABASE_SAID,
            },
        )

    return fault


async def resetting(request: web.BaseRequest) -> DatabaseAnswer:
    """A database that breaks off."""
    if "/docs/" in request.path and request.transport:
        request.transport.abort()
    return None


async def silent(request: web.BaseRequest) -> DatabaseAnswer:
    """A database that never answers."""
    if "/docs/" in request.path:
        await asyncio.Event().wait()
    return None


WRONG_DOCUMENT = {"id": VALUE, "created_at": VALUE, "metadata": {KEY: VALUE, VALUE: 1}}

FAULTS = [
    *(
        pytest.param(answering(status), 500, "ERROR", id=str(status))
        for status in (400, 401, 403, 412)
    ),
    pytest.param(answering(404, 1003), 500, "ERROR", id="404/1003"),
    pytest.param(answering(404, 1002), 503, "WARNING", id="404/1002"),
    pytest.param(answering(403, 3), 503, "WARNING", id="403/3"),
    pytest.param(answering(429), 429, "WARNING", id="429"),
    *(
        pytest.param(answering(status), 503, "WARNING", id=str(status))
        for status in (408, 410, 449, 500, 502, 503, 504)
    ),
    pytest.param(resetting, 503, "WARNING", id="reset"),
    pytest.param(silent, 504, "WARNING", id="silent"),
    pytest.param(answering(200, body=DATABASE_SAID), 500, "ERROR", id="no-json"),
    pytest.param(answering(200, body=f'["{DATABASE_SAID}"]'), 500, "ERROR", id="no-object"),
    pytest.param(
        answering(200, body=json.dumps(WRONG_DOCUMENT)), 500, "ERROR", id="no-conversation"
    ),
]


@pytest.mark.parametrize(("fault", "status", "level"), FAULTS)
def test_a_failure_of_the_database_leaves_one_line_in_our_own_words(
    host: Host, wire: CosmosWire, fault: Fault, status: int, level: str
) -> None:
    path = f"{CONVERSATIONS}/{host.rest.create({KEY: VALUE})['id']}"
    wire.fault = fault

    answer = send(host, "POST", path, {"metadata": {KEY: VALUE}})

    assert answer.status == status
    line = host.line_of(answer)
    assert line["operation"] == "update_conversation"
    assert line["level"] == level
    assert int(line["attempts"]) >= 1
    assert " reason=" in line[0]
    assert MARKER.encode() not in answer.body
    for text in (b"Traceback", b"Error(", b"azure", b"cosmos", b"127.0.0.1", b".py"):
        assert text not in answer.body.lower()
    assert_silent_about_secrets(host, requests=2)


def test_a_refusal_names_the_missing_data_action_and_the_activity(
    host: Host, wire: CosmosWire
) -> None:
    """By which an operator mends the role, and Microsoft finds the request."""
    action = "Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers/items/replace"
    activity = "0f8fad5b-d9cb-469f-a165-70867728950e"
    conversation = host.rest.create()

    async def fault(_: web.BaseRequest) -> DatabaseAnswer:
        said = f"principal [{MARKER}] lacks permission to perform action [{action}] on any scope"
        return web.Response(
            status=403,
            text=json.dumps({"code": "Forbidden", "message": said}),
            content_type="application/json",
            headers={"x-ms-substatus": "5300", "x-ms-activity-id": activity},
        )

    wire.fault = fault
    answer = host.rest.update(conversation["id"], {"metadata": {}})
    wire.reset()

    assert answer.status == 500
    said = f'reason="cosmos 403/5300 activity={activity} action={action}: not allowed;'
    assert said in host.line_of(answer)[0]
    assert_silent_about_secrets(host, requests=2)


# The database's answer, and what the log tells the operator to look at.
ADVICE = {
    "401": (answering(401), ["COSMOS_KEY", "clock"]),
    "403": (answering(403), ["role", "firewall"]),
    "404/1003": (answering(404, 1003), ["COSMOS_ENDPOINT", "COSMOS_DATABASE", "COSMOS_CONTAINER"]),
    "no JSON": (answering(200, body=DATABASE_SAID), ["no JSON", "COSMOS_ENDPOINT"]),
    "no object": (answering(200, body="[]"), ["COSMOS_ENDPOINT"]),
    "no conversation": (
        answering(200, body=json.dumps(WRONG_DOCUMENT)),
        ["a stored document is no conversation", "created_at, metadata"],
    ),
    "a field is missing": (
        answering(200, body=json.dumps({"id": "conv_1", "created_at": 1})),
        ["a stored document is no conversation", "metadata"],
    ),
}


@pytest.mark.parametrize(("fault", "words"), ADVICE.values(), ids=ADVICE)
def test_the_log_says_what_the_operator_should_look_at(
    host: Host, wire: CosmosWire, fault: Fault, words: list[str]
) -> None:
    wire.fault = fault

    line = host.line_of(host.rest.update("conv_1", {"metadata": {}}))

    assert line["status"] == "500"
    reason = line[0].partition(" reason=")[2]
    for word in words:
        assert word in reason


def test_the_charge_of_a_failed_attempt_is_counted(host: Host, wire: CosmosWire) -> None:
    conversation = host.rest.create()
    wire.fault = answering(503)

    line = host.line_of(host.rest.update(conversation["id"], {"metadata": {}}))

    # The patch, what it left behind (asked for twice), and nothing more.
    assert line["attempts"] == "3"
    assert line["charge"] == "7.50"


@pytest.mark.parametrize(
    "settings",
    [
        {"COSMOS_KEY": f"no base64 {MARKER}"},
        {"COSMOS_ENDPOINT": f"ftp://{MARKER}"},
        {"COSMOS_TIMEOUT_SECONDS": MARKER},
        {"REQUIRE_USER_ISOLATION_KEY": MARKER},
        {"COSMOS_KEY": base64.b64encode(MARKER.encode()).decode()},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_wrong_setting_is_named_in_the_log_without_its_value(
    wire: CosmosWire, settings: dict[str, str]
) -> None:
    wire.reset()
    (name, value) = next(iter(settings.items()))
    with serve_host(**{"cosmos_url": wire.url, **settings}) as server:
        host = Host(Rest(server.url, USER), server)
        answer = host.rest.retrieve("conv_1")
        line = host.line_of(answer)
        log = server.log()

    assert answer.status == 500
    assert answer.error["code"] == "internal_error"
    assert name.encode() not in answer.body
    assert line["level"] == "ERROR"
    assert name in line[0]
    assert value not in log
    assert MARKER not in log
