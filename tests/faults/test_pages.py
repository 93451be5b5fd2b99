"""A page of a list is made of what any number of queries answer, short and empty ones among them.

docs/contract.md#item-limits, and #failures-of-the-database for those that fail midway.
"""

import json
import secrets
from collections.abc import Iterator

import pytest

from tests.faults.checks import logged
from tests.faults.kinds import Target, message
from tests.support.cosmos_wire import CosmosWire, Fault
from tests.support.failures import (
    BUDGET,
    INTERNAL,
    NOT_FOUND,
    TIMEOUT,
    UNAVAILABLE,
    Failure,
    assert_fails,
    throttled,
    within_budget,
)
from tests.support.injected_faults import (
    answers,
    in_turn,
    passes,
    queries,
    resets,
    says,
    sent,
    silent,
    throttles,
)
from tests.support.rest import CONVERSATIONS, JSON, Rest
from tests.support.servers import Server

PASSING = {"429": throttles(50), "449": answers(449), "503": answers(503), "reset": resets}


@pytest.fixture
def short_pages(wire: CosmosWire) -> Iterator[None]:
    """Every query looks at one document, and is answered with that or with nothing."""
    wire.emulator.page_limit = 1
    yield
    wire.emulator.page_limit = None


def texts(rest: Rest, path: str) -> list[str]:
    """The items of a page; there are no more."""
    page = rest.send("GET", path)
    assert page.status == 200, page
    assert page.json()["has_more"] is False
    return [item["content"][0]["text"] for item in page.json()["data"]]


@pytest.fixture
def items(target: Target) -> str:
    """The path of the items of a conversation with four of them."""
    path = f"{CONVERSATIONS}/{target.id}/items"
    body = {"items": [message("a"), message("b"), message("c")]}
    assert target.rest.send("POST", path, json.dumps(body).encode(), JSON).status == 200
    return path


@pytest.mark.usefixtures("short_pages")
def test_short_answers_make_a_whole_page(wire: CosmosWire, target: Target, items: str) -> None:
    wire.reset()

    assert texts(target.rest, f"{items}?order=asc") == ["first", "a", "b", "c"]

    assert sent(wire).count("query") >= 4
    assert texts(target.rest, f"{items}?order=desc&before=msg_first") == ["c", "b", "a"]
    page = target.rest.send("GET", f"{items}?limit=2").json()
    assert [item["content"][0]["text"] for item in page["data"]] == ["c", "b"]
    assert page["has_more"] is True


@pytest.mark.usefixtures("short_pages")
def test_empty_answers_are_followed(wire: CosmosWire, target: Target) -> None:
    for _ in range(5):
        target.rest.create({"n": "other"})
    wire.reset()

    page = target.rest.send("GET", f"{CONVERSATIONS}?metadata[n]=before").json()

    assert [one["id"] for one in page["data"]] == [target.id]
    assert page["has_more"] is False
    assert sent(wire).count("query") >= 6


MIDWAY = {
    "429": (throttles(50), throttled(50, 1)),
    "429 with a long wait": (throttles(9_000), throttled(9_000, 9)),
    "503": (answers(503), UNAVAILABLE),
    "500": (answers(500), UNAVAILABLE),
    "400 the continuation is none": (answers(400), INTERNAL),
    "410/1002 the partition is gone": (answers(410, 1002), UNAVAILABLE),
    "reset": (resets, UNAVAILABLE),
    "silence": (silent, TIMEOUT),
    "no JSON": (says(b"{"), INTERNAL),
    "no Documents": (says(b'{"_count": 0}'), INTERNAL),
    "an object of Documents": (says(b'{"Documents": {}}'), INTERNAL),
    "a row that is none": (says(b'{"Documents": [null]}'), INTERNAL),
}


@pytest.mark.parametrize(("fault", "expected"), MIDWAY.values(), ids=MIDWAY)
@pytest.mark.usefixtures("short_pages")
def test_a_continuation_that_fails_midway_fails_the_page(
    wire: CosmosWire, target: Target, items: str, fault: Fault, expected: Failure
) -> None:
    wire.fault = queries(in_turn(passes, passes, *[fault] * 9))

    with within_budget():
        answer = target.rest.send("GET", items)

    assert_fails(answer, expected)
    wire.reset()
    assert texts(target.rest, items) == ["c", "b", "a", "first"]


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
@pytest.mark.usefixtures("short_pages")
def test_a_continuation_that_fails_once_is_asked_again(
    wire: CosmosWire, target: Target, items: str, fault: Fault
) -> None:
    wire.fault = queries(in_turn(passes, passes, fault))

    assert texts(target.rest, items) == ["c", "b", "a", "first"]


def endless(documents: str = "") -> Fault:
    """A query that is answered with these, and that there is more."""
    return says(f'{{"Documents": [{documents}]}}'.encode(), headers={"x-ms-continuation": "more"})


NO_END = ["/{id}/items", "/{id}/items?after=msg_first", "?limit=1"]


@pytest.mark.parametrize("path", NO_END)
def test_a_continuation_that_never_ends_ends_with_the_budget(
    wire: CosmosWire, host: Server, target: Target, path: str
) -> None:
    wire.fault = queries(endless())

    with within_budget():
        answer = target.rest.send("GET", CONVERSATIONS + path.format(id=target.id))

    assert_fails(answer, TIMEOUT)
    assert "cosmos took over 1 s" in logged(host, answer)
    assert sent(wire).count("query") > 1


@pytest.mark.parametrize("path", ["/{id}/items?item_type=reasoning", "?metadata[n]=x"])
@pytest.mark.parametrize("fault", [endless(), silent], ids=["endless", "silent"])
def test_a_filter_that_finds_nothing_in_time_is_not_to_be_repeated(
    wire: CosmosWire, host: Server, target: Target, path: str, fault: Fault
) -> None:
    wire.fault = queries(fault)

    with within_budget(BUDGET / 2):
        answer = target.rest.send("GET", CONVERSATIONS + path.format(id=target.id))

    assert_fails(answer, TIMEOUT.not_again())
    assert "'after'" in answer.error["message"]
    assert "filter" in logged(host, answer)


@pytest.mark.parametrize("then", [endless(), silent], ids=["endless", "silent"])
@pytest.mark.usefixtures("short_pages")
def test_a_filter_that_finds_something_answers_with_that(
    wire: CosmosWire, target: Target, items: str, then: Fault
) -> None:
    wire.fault = queries(in_turn(passes, passes, *[then] * 100_000))

    with within_budget(BUDGET / 2):
        answer = target.rest.send("GET", f"{items}?item_type=message")

    assert answer.status == 200, answer
    page = answer.json()
    assert [item["content"][0]["text"] for item in page["data"]] == ["c", "b"]
    assert page["has_more"] is True


def test_more_rows_than_were_asked_for_are_left(wire: CosmosWire, target: Target) -> None:
    rows = ",".join(f'{{"id": "msg_{number}", "type": "x"}}' for number in range(300))
    wire.fault = queries(endless(rows))

    page = target.rest.send("GET", f"{CONVERSATIONS}/{target.id}/items?limit=3").json()

    assert [item["id"] for item in page["data"]] == ["msg_0", "msg_1", "msg_2"]
    assert page["has_more"] is True
    assert sent(wire).count("query") == 1


@pytest.mark.parametrize("fault", [answers(503), silent, says(b"{")], ids=["503", "", "rubbish"])
def test_a_list_of_what_is_not_there_does_not_wait_for_its_query(
    wire: CosmosWire, target: Target, fault: Fault
) -> None:
    """Of the two requests that are sent side by side, the one that finds nothing is enough."""
    wire.fault = queries(fault)
    unknown = f"conv_{secrets.token_hex(24)}"

    with within_budget(0):
        answer = target.rest.send("GET", f"{CONVERSATIONS}/{unknown}/items")

    assert_fails(answer, NOT_FOUND)
