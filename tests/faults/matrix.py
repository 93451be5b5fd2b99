"""Prints the tables of docs/reliability.md, measured: `python -m tests.faults.matrix`.

With the default budget, against a Cosmos DB that fails as the first column says. What the rows must
be is held by the tests beside this, with a shorter budget.
"""

import itertools
import secrets
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from tests.faults.kinds import BY_NAME, Kind, Target
from tests.support.cosmos_wire import CosmosWire, Fault, cosmos_wire
from tests.support.injected_faults import (
    answers,
    breaks_off,
    carried_out,
    first,
    queries,
    refuses,
    resets,
    says,
    sent,
    silent,
    slow,
    throttles,
    writes,
)
from tests.support.rest import Answer, Rest
from tests.support.servers import serve_host

HEADERS = ("Retry-After", "retry-after-ms", "x-should-retry")

LIST = Kind("list conversations", "GET", "")
SEARCH = Kind("list conversations by metadata", "GET", "?metadata[n]=x")

# To every write. Nothing is stored.
FAILS: dict[str, Fault] = {
    "400, 401, 403": answers(401),
    "403/3, 403/1008: it is served elsewhere now": answers(403, 3),
    "403/1014: the user's partition is full": answers(403, 1014),
    "404/1002: the session is not there yet": answers(404, 1002),
    "404/1003: no such container": answers(404, 1003),
    "413": answers(413),
    "429, wait 100 ms": throttles(100),
    "429, wait 10 s": throttles(10_000),
    "207: an operation is 429, wait 100 ms": refuses(0, 429, retryAfterMilliseconds=100),
    "449": answers(449),
    "207: all operations are 424": refuses(0, 424),
    "408, 410, 500, 502, 504": answers(500),
    "503": answers(503),
    "reset, or half an answer": resets,
    "no JSON, another length, an empty array": says(b"[]"),
    "silence": silent,
    "an answer after 3.5 s": slow(3.5),
    "an answer after 6 s": slow(6),
}
# The same, but only to the first write.
PASSES: dict[str, Fault] = {
    "429, wait 100 ms": throttles(100),
    "449": answers(449),
    "503, nothing stored": answers(503),
    "reset, nothing stored": resets,
}

# The write was done, and this comes in place of its answer.
LOST: dict[str, Fault] = {
    "reset, or half an answer": breaks_off,
    "408, 410, 500, 502, 503, 504": answers(503),
    "409, 412: a copy of it met the first": answers(409),
    "no JSON, another length, another document": says(b"[]"),
    "silence": silent,
}

READS: dict[str, Fault] = {
    "400, 401, 403, 404/1003": answers(401),
    "403/3, 403/1008, 404/1002": answers(404, 1002),
    "408, 410, 500, 502, 504": answers(500),
    "429, wait 100 ms": throttles(100),
    "429, wait 10 s": throttles(10_000),
    "449, 503": answers(503),
    "reset, or half an answer": resets,
    "no JSON, another shape": says(b"[]"),
    "silence": silent,
    "an answer after 4.5 s": slow(4.5),
    "a continuation that never ends": says(
        b'{"Documents": []}', headers={"x-ms-continuation": "more"}
    ),
}


def main() -> None:
    """Print the tables."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cosmos_wire(Path(folder)) as wire,
        serve_host(wire.url) as host,
    ):
        rest = Rest(host.url)
        twice, alone = BY_NAME["append with a key"], BY_NAME["append"]
        table("The database, to every write", "With a key", "Without", "Asked", "After")
        for name, fault in FAILS.items():
            wire.fault = None
            again, _, _ = run(wire, rest, twice, writes(fault))
            once, asked, seconds = run(wire, rest, alone, writes(fault))
            row(name, told(again), told(once), asked, f"{seconds:.1f} s")
        table("The database, to the first write", "The caller", "Asked", "After")
        for name, fault in PASSES.items():
            answer, asked, seconds = run(wire, rest, alone, writes(first(1, fault)))
            row(name, told(answer), asked, f"{seconds:.1f} s")
        for name, fault in LOST.items():
            lost = writes(first(1, carried_out(wire, fault)))
            answer, asked, seconds = run(wire, rest, alone, lost)
            row(f"done, but: {name}", told(answer), asked, f"{seconds:.1f} s")
        table("The database, to every query", "The caller of a list", "Asked", "After")
        for name, fault in READS.items():
            answer, asked, seconds = run(wire, rest, LIST, queries(fault))
            row(name, told(answer), asked, f"{seconds:.1f} s")
        answer, asked, seconds = run(wire, rest, SEARCH, queries(silent))
        row("silence, to a filter", told(answer), asked, f"{seconds:.1f} s")


def run(wire: CosmosWire, rest: Rest, kind: Kind, fault: Fault) -> tuple[Answer, str, float]:
    """The answer, what the database was asked, and after how many seconds it came."""
    wire.fault = None
    target = Target.of(rest.as_user(f"user-{secrets.token_hex(8)}"))
    wire.reset()
    wire.fault = fault
    started = time.monotonic()
    answer = kind.call(target)
    seconds = time.monotonic() - started
    asked = counted(sent(wire))
    return answer, asked, seconds


def counted(kinds: Iterable[str]) -> str:
    """`write, 2 looks, write`, and no more than the first four of many."""
    groups = [(kind, len(list(run))) for kind, run in itertools.groupby(kinds)]
    plural = {"query": "queries"}
    words = [
        kind if count == 1 else f"{count} {plural.get(kind, kind + 's')}"
        if count < 10
        else f"many {plural.get(kind, kind + 's')}"
        for kind, count in groups
    ]  # fmt: skip
    return ", ".join(words)


def told(answer: Answer) -> str:
    """Status, code and the headers that tell whether to come again."""
    code = "" if answer.status == 200 else f" `{answer.error['code']}`"
    got = {name: answer.headers[name.lower()] for name in HEADERS if name.lower() in answer.headers}
    headers = [f"`{name}: {value}`" for name, value in got.items()]
    return ", ".join([f"{answer.status}{code}", *headers])


def table(*names: str) -> None:
    """The head of a table."""
    print()
    row(*names)
    print(f"|{'---|' * len(names)}")


def row(*cells: str) -> None:
    """A row of it."""
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
