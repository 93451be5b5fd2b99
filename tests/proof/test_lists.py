"""A list is one user's: what others have stored is neither touched nor waited for."""

import asyncio
import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from conversations.resources.conversations.documents import new_document
from tests.proof.bench import Bench, bench
from tests.proof.network import CarryOut, Received, Sent

OTHERS = 50_000


@pytest.fixture(scope="module")
def crowded() -> Iterator[Bench]:
    """50,000 conversations of 5,000 users, and 200 of one more."""
    with bench() as made:
        made.fill([stored(f"user-{n % 5_000}", n) for n in range(OTHERS)])
        made.fill([stored("busy", n) for n in range(200)])
        yield made


def stored(user: str, number: int) -> dict[str, Any]:
    return new_document(
        user,
        f"conv_{number:08x}{user.replace('-', '')}",
        created_at=number,
        metadata={"topic": str(number % 100)},
        version="0" * 16,
        request="-",
        last_position=None,
    )


@pytest.fixture
def touched(crowded: Bench) -> Iterator[list[int]]:
    """How many documents each query looked at, by the database's own count."""
    counts: list[int] = []

    async def count(sent: Sent, carry_out: CarryOut) -> Received:
        received = await carry_out()
        if metrics := received.headers.get("x-ms-documentdb-query-metrics"):
            found = re.search(r"retrievedDocumentCount=(\d+)", metrics)
            assert found
            counts.append(int(found[1]))
        return received

    crowded.befall(count)
    yield counts
    crowded.befall(None)


@pytest.mark.parametrize("query", ["", "?limit=100", "?order=asc", "?metadata[topic]=mine"])
def test_a_list_of_one_conversation_looks_at_one_document(
    crowded: Bench, touched: list[int], query: str
) -> None:
    user = f"lone-{query}"
    id_ = crowded.asked("POST", "", {"metadata": {"topic": "mine"}}, user=user)["id"]

    answer = crowded.asked("GET", query, user=user)

    assert [one["id"] for one in answer["data"]] == [id_]
    assert touched == [1]


def test_a_page_looks_at_one_document_more_than_it_has(crowded: Bench, touched: list[int]) -> None:
    answer = crowded.asked("GET", "?limit=20", user="busy")

    assert len(answer["data"]) == 20
    assert answer["has_more"] is True
    assert sum(touched) == 21


def test_a_filter_looks_at_its_users_documents_alone(crowded: Bench, touched: list[int]) -> None:
    answer = crowded.asked("GET", "?metadata[topic]=7", user="busy")

    assert len(answer["data"]) == 2
    assert sum(touched) == 200


@pytest.mark.parametrize(("topic", "status"), [("99", 200), ("none", 504)])
def test_a_filter_that_is_not_done_in_time_answers_what_it_found(
    crowded: Bench, topic: str, status: int
) -> None:
    async def slowly(_: Sent, carry_out: CarryOut) -> Received:
        await asyncio.sleep(0.4)
        return await carry_out()

    crowded.stand_in.emulator.page_limit = 10
    crowded.befall(slowly)
    started = crowded.loop.time()
    response = crowded.request("GET", f"?metadata[topic]={topic}", user="busy")
    took = crowded.loop.time() - started
    crowded.stand_in.emulator.page_limit = None
    crowded.befall(None)

    answer = json.loads(response.get_body())
    assert response.status_code == status
    assert took == pytest.approx(2.5)  # half of the budget
    if status == 200:
        assert [one["metadata"] for one in answer["data"]] == [{"topic": "99"}]
        assert answer["has_more"] is True
    else:
        assert answer["error"]["code"] == "timeout"
        assert "'after'" in answer["error"]["message"]
        assert response.headers["x-should-retry"] == "false"
        assert "Retry-After" not in response.headers


def test_continuations_without_end_cost_a_list_no_more_than_the_budget(crowded: Bench) -> None:
    nowhere = base64.b64encode(b'["conversation/", "", ""]').decode()

    async def never_ends(sent: Sent, carry_out: CarryOut) -> Received:
        await asyncio.sleep(0.1)
        received = await carry_out()
        if "x-ms-documentdb-isquery" in sent.headers:
            body = {**json.loads(received.content), "Documents": []}
            received.headers["x-ms-continuation"] = nowhere
            return Received(200, received.headers, json.dumps(body).encode())
        return received

    crowded.befall(never_ends)
    started = crowded.loop.time()
    response = crowded.request("GET", "", user="busy")
    took = crowded.loop.time() - started
    crowded.befall(None)

    assert response.status_code == 504
    assert json.loads(response.get_body())["error"]["code"] == "timeout"
    assert response.headers["Retry-After"] == "1"
    assert took <= 5
