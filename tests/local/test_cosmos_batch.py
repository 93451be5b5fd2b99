"""Transactional batches and patch conditions of the stand-in, on the wire and through the SDK."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from azure.cosmos.aio import ContainerProxy, CosmosClient
from azure.cosmos.exceptions import CosmosBatchOperationError
from azure.cosmos.partition_key import NullPartitionKeyValue

from tests.support.cosmos_rest import (
    ALICE,
    LINK,
    assert_cosmos_error,
    batch,
    call,
    create,
    read,
)
from tests.support.rest import Answer, Rest
from tests.support.servers import emulator_key


def name() -> str:
    return f"id_{secrets.token_hex(8)}"


def creation(id_: str, **properties: Any) -> dict[str, Any]:
    document = {"id": id_, "isolation_key": "alice", **properties}
    return {"operationType": "Create", "resourceBody": document}


def patching(id_: str, condition: str | None = None, **values: Any) -> dict[str, Any]:
    patch: dict[str, Any] = {
        "operations": [{"op": "set", "path": f"/{n}", "value": v} for n, v in values.items()]
    }
    if condition is not None:
        patch["condition"] = condition
    return {"operationType": "Patch", "id": id_, "resourceBody": patch}


def reading(id_: str) -> dict[str, Any]:
    return {"operationType": "Read", "id": id_}


def deletion(id_: str) -> dict[str, Any]:
    return {"operationType": "Delete", "id": id_}


def statuses(answer: Answer) -> list[int]:
    return [result["statusCode"] for result in answer.json()]


def test_a_batch_does_all_of_its_operations(cosmos: Rest) -> None:
    old, doomed = create(cosmos, n=1), create(cosmos)
    new = name()

    answer = batch(
        cosmos, [creation(new, n=2), patching(old["id"], n=3), reading(new), deletion(doomed["id"])]
    )

    assert answer.status == 200
    assert statuses(answer) == [201, 200, 200, 204]
    created, patched, seen, deleted = answer.json()
    assert created["resourceBody"] == seen["resourceBody"] == read(cosmos, new).json()
    assert created["resourceBody"]["n"] == 2
    assert patched["resourceBody"] == read(cosmos, old["id"]).json()
    assert patched["resourceBody"]["n"] == 3
    for result in (created, patched, seen):
        assert result["eTag"] == result["resourceBody"]["_etag"]
    assert "resourceBody" not in deleted
    assert read(cosmos, doomed["id"]).status == 404
    charges = [result["requestCharge"] for result in answer.json()]
    assert min(charges) > 0
    assert float(answer.headers["x-ms-request-charge"]) == sum(charges)


def test_a_batch_carries_the_session_like_any_answer(cosmos: Rest) -> None:
    there = create(cosmos)

    def lsn(answer: Answer) -> int:
        for header in ("x-ms-alt-content-path", "x-ms-content-path"):
            assert answer.headers[header]
        return int(answer.headers["x-ms-session-token"].removeprefix("0:-1#"))

    before = lsn(batch(cosmos, [reading(there["id"])]))
    written = lsn(batch(cosmos, [creation(name()), creation(name())]))
    failed = lsn(batch(cosmos, [creation(name()), reading("missing")]))

    assert written == before + 1  # a transaction, however many documents
    assert failed == written


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize(
    ("culprit", "status"),
    [
        (reading("missing"), 404),
        (patching("missing", n=1), 404),
        (deletion("missing"), 404),
        (creation("a/b"), 400),
        (creation("x", isolation_key="bob"), 400),
        (creation("x", ttl=0), 400),
        (patching("missing"), 404),
    ],
)
def test_a_batch_that_fails_does_nothing(
    cosmos: Rest, culprit: dict[str, Any], status: int, position: int
) -> None:
    old = create(cosmos, n=1)
    new = name()
    operations = [creation(new), patching(old["id"], n=2)]
    operations.insert(position, culprit)

    answer = batch(cosmos, operations)

    assert answer.status == 207
    expected = [424, 424]
    expected.insert(position, status)
    assert statuses(answer) == expected
    assert all("resourceBody" not in result for result in answer.json())
    assert read(cosmos, new).status == 404
    assert read(cosmos, old["id"]).json() == old


def test_a_conflict_undoes_what_came_before_it(cosmos: Rest) -> None:
    old = create(cosmos, n=1)
    new = name()

    answer = batch(cosmos, [deletion(old["id"]), creation(new), creation(new), reading(new)])

    assert (answer.status, statuses(answer)) == (207, [424, 424, 409, 424])
    assert read(cosmos, old["id"]).json() == old
    assert read(cosmos, new).status == 404


def test_operations_on_one_document_see_each_other(cosmos: Rest) -> None:
    id_ = name()

    answer = batch(
        cosmos,
        [
            creation(id_, n=1),
            patching(id_, "FROM c WHERE c.n = 1", n=2),
            reading(id_),
            patching(id_, "FROM c WHERE c.n = 2", n=3),
            deletion(id_),
            creation(id_, n=4),
        ],
    )

    assert (answer.status, statuses(answer)) == (200, [201, 200, 200, 200, 204, 201])
    assert [one["resourceBody"]["n"] for one in answer.json() if "eTag" in one] == [1, 2, 2, 3, 4]
    assert len({one["eTag"] for one in answer.json() if "eTag" in one}) == 4
    assert read(cosmos, id_).json()["n"] == 4
    gone = batch(cosmos, [deletion(id_), reading(id_)])
    assert (gone.status, statuses(gone)) == (207, [424, 404])


def test_if_match_guards_each_operation(cosmos: Rest) -> None:
    first = create(cosmos, n=1)
    id_, old = first["id"], first["_etag"]
    new = batch(cosmos, [{**patching(id_, n=2), "ifMatch": old}]).json()[0]["eTag"]

    for operation in (patching(id_, n=3), deletion(id_), reading(id_)):
        stale = batch(cosmos, [reading(id_), {**operation, "ifMatch": old}])
        assert (stale.status, statuses(stale)) == (207, [424, 412])
    assert batch(cosmos, [{**deletion(id_), "ifMatch": new}]).status == 200


def test_a_batch_is_of_one_partition(cosmos: Rest) -> None:
    mine = create(cosmos)
    theirs = create(cosmos, "bob")

    answer = batch(cosmos, [reading(mine["id"]), reading(theirs["id"])])

    assert (answer.status, statuses(answer)) == (207, [424, 404])
    unkeyed = creation(name())
    unkeyed["resourceBody"]["isolation_key"] = None
    assert batch(cosmos, [unkeyed], None).status == 200
    wrong = batch(cosmos, [unkeyed], "null").json()
    assert [(one["statusCode"], one["subStatusCode"]) for one in wrong] == [(400, 1001)]


@pytest.mark.parametrize(
    ("operations", "status"),
    [
        ([], 400),
        ({}, 400),
        (["x"], 400),
        ([creation("x")] * 101, 400),
        ([creation("x"), {"operationType": "Upsert", "resourceBody": {"id": "x"}}], 400),
        ([creation("x"), {"operationType": "Replace", "id": "x", "resourceBody": {}}], 400),
        ([creation("x"), {"operationType": 1}], 400),
        ([creation("x"), {}], 400),
        ([{"operationType": "Create", "resourceBody": []}], 400),
        ([{"operationType": "Patch", "id": "x", "resourceBody": "x"}], 400),
        ([{**reading("x"), "ifMatch": 1}], 400),
        ([{**reading("x"), "ifNoneMatch": "x"}], 400),
        ([creation("x", text="y" * 2**21)], 413),
        ([creation("x", text="y" * 2**20), creation("y", text="y" * 2**20)], 413),
    ],
)
def test_a_batch_that_is_wrong_is_refused_whole(cosmos: Rest, operations: Any, status: int) -> None:
    code = {400: "BadRequest", 413: "RequestEntityTooLarge"}[status]

    assert_cosmos_error(batch(cosmos, operations), status, code)
    assert read(cosmos, "x").status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"x_ms_cosmos_batch_atomic": "False"},
        {"x_ms_cosmos_batch_continue_on_error": "True"},
        {"x_ms_documentdb_partitionkey": "alice"},
    ],
)
def test_another_kind_of_batch_is_refused(cosmos: Rest, headers: dict[str, str]) -> None:
    assert_cosmos_error(batch(cosmos, [creation("x")], **headers), 400, "BadRequest")
    assert read(cosmos, "x").status == 404


def test_a_batch_of_the_limits_is_taken(cosmos: Rest) -> None:
    ids = [name() for _ in range(100)]
    body = [creation(id_, text="") for id_ in ids]
    padding = 2 * 1024 * 1024 - len(json.dumps(body))
    body[0]["resourceBody"]["text"] = "x" * padding

    assert batch(cosmos, body).status == 200
    assert batch(cosmos, [reading(id_) for id_ in ids]).status == 200
    body[0]["resourceBody"]["text"] += "x"
    assert batch(cosmos, body).status == 413


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("FROM c WHERE c.n = 1", True),
        ("from c where c.n < 2 and is_defined(c.n)", True),
        ("FROM c WHERE NOT IS_DEFINED(c.missing) OR c.missing < 1", True),
        ("FROM c WHERE c.n = 2", False),
        ("FROM c WHERE c.missing = 1", False),
        ("FROM c WHERE NOT (c.missing = 1)", False),
        ("FROM c WHERE c.n", False),
    ],
)
def test_a_patch_has_a_condition(cosmos: Rest, condition: str, holds: bool) -> None:
    stored = create(cosmos, n=1)
    link = f"{LINK}/docs/{stored['id']}"
    patch = patching(stored["id"], condition, m=2)

    alone = call(cosmos, "PATCH", "docs", link, patch["resourceBody"], **ALICE)
    in_a_batch = batch(cosmos, [patch])

    if holds:
        assert (alone.status, alone.json()["m"]) == (200, 2)
        assert (in_a_batch.status, statuses(in_a_batch)) == (200, [200])
    else:
        assert_cosmos_error(alone, 412, "PreconditionFailed")
        assert (in_a_batch.status, statuses(in_a_batch)) == (207, [412])
        assert read(cosmos, stored["id"]).json() == stored


@pytest.mark.parametrize("condition", [1, "", "x", "FROM c", "FROM c WHERE c.n = @n"])
def test_a_condition_that_is_none_is_refused(cosmos: Rest, condition: Any) -> None:
    stored = create(cosmos, n=1)
    patch = patching(stored["id"], condition, n=2)["resourceBody"]

    answer = call(cosmos, "PATCH", "docs", f"{LINK}/docs/{stored['id']}", patch, **ALICE)

    assert_cosmos_error(answer, 400, "BadRequest")
    assert read(cosmos, stored["id"]).json() == stored


def run(cosmos: Rest, use: Callable[[ContainerProxy], Awaitable[None]]) -> None:
    """Use the container through the SDK, as Microsoft ships it."""

    async def with_client() -> None:
        async with CosmosClient(cosmos.base_url, emulator_key()) as client:
            database = client.get_database_client("conversations")
            await use(database.get_container_client("conversations"))

    asyncio.run(with_client())


@pytest.mark.parametrize("user", ["alice", None])
def test_the_sdk_executes_a_batch(cosmos: Rest, user: str | None) -> None:
    async def use(container: ContainerProxy) -> None:
        key: Any = NullPartitionKeyValue if user is None else user
        first, second = name(), name()
        condition = "FROM c WHERE NOT IS_DEFINED(c.n)"
        done = await container.execute_item_batch(
            [
                ("create", ({"id": first, "isolation_key": user},)),
                (
                    "patch",
                    (first, [{"op": "set", "path": "/n", "value": 1}]),
                    {"filter_predicate": condition},
                ),
                ("create", ({"id": second, "isolation_key": user},)),
                ("read", (first,)),
                ("delete", (second,)),
            ],
            partition_key=key,
        )

        assert [one["statusCode"] for one in done] == [201, 200, 201, 200, 204]
        assert done[3]["resourceBody"]["n"] == 1
        assert (await container.read_item(first, key))["_etag"] == done[1]["eTag"]

        with pytest.raises(CosmosBatchOperationError) as failed:
            await container.execute_item_batch(
                [
                    ("read", (first,)),
                    ("delete", (first,), {"if_match_etag": done[0]["eTag"]}),
                    ("create", ({"id": second, "isolation_key": user},)),
                ],
                partition_key=key,
            )

        assert failed.value.status_code == 412
        assert failed.value.error_index == 1
        answers = failed.value.operation_responses
        assert [one["statusCode"] for one in answers] == [424, 412, 424]
        assert (await container.read_item(first, key))["n"] == 1

    run(cosmos, use)
