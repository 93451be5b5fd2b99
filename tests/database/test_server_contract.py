"""What Cosmos DB servers do, through the SDK alone: the ground that the store stands on.

Where a server is known to be wrong, that single case says so.
"""

import secrets
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.cosmos.aio import ContainerProxy
from azure.cosmos.exceptions import (
    CosmosAccessConditionFailedError,
    CosmosHttpResponseError,
    CosmosResourceExistsError,
    CosmosResourceNotFoundError,
)
from azure.cosmos.partition_key import NonePartitionKeyValue

from conversations.api.isolation import IsolationKey
from tests.database.accounts import Run, WrongIn, new_user

MISSING = "conv_missing"


def _document(key: Any, **more: Any) -> dict[str, Any]:
    return {"id": f"conv_{secrets.token_hex(24)}", "isolation_key": key, **more}


def test_every_write_makes_a_new_etag(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = run(container.create_item(_document(key, metadata={})))
    id_, etags = document["id"], [document["_etag"]]
    for number in range(3):
        answer = run(container.patch_item(id_, key, _set(str(number))))
        assert answer["metadata"] == {"n": str(number)}
        etags.append(answer["_etag"])

    assert len(set(etags)) == 4
    assert run(container.read_item(id_, key))["_etag"] == etags[-1]


def _set(value: str) -> list[dict[str, Any]]:
    return [{"op": "set", "path": "/metadata", "value": {"n": value}}]


def test_a_patch_with_an_old_etag_is_refused(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = run(container.create_item(_document(key, metadata={})))
    id_, old = document["id"], document["_etag"]
    if_unchanged = {"etag": old, "match_condition": MatchConditions.IfNotModified}

    run(container.patch_item(id_, key, _set("1"), **if_unchanged))
    with pytest.raises(CosmosAccessConditionFailedError):
        run(container.patch_item(id_, key, _set("2"), **if_unchanged))
    with pytest.raises(CosmosAccessConditionFailedError):
        run(container.delete_item(id_, key, **if_unchanged))

    assert run(container.read_item(id_, key))["metadata"] == {"n": "1"}


def test_a_patch_with_the_last_etag_is_taken(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = run(container.create_item(_document(key, metadata={})))
    if_unchanged = {
        "etag": document["_etag"],
        "match_condition": MatchConditions.IfNotModified,
    }

    answer = run(container.patch_item(document["id"], key, _set("1"), **if_unchanged))

    assert answer["metadata"] == {"n": "1"}


def test_a_patch_with_any_etag_is_taken(
    container: ContainerProxy, key: IsolationKey, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "does not know If-Match: *")
    document = run(container.create_item(_document(key, metadata={})))
    if_there = MatchConditions.IfPresent

    answer = run(container.patch_item(document["id"], key, _set("1"), match_condition=if_there))

    assert answer["metadata"] == {"n": "1"}


def test_null_and_strings_are_different_partitions(container: ContainerProxy, run: Run) -> None:
    id_ = _document(None)["id"]
    partitions = [None, "null", "undefined", "{}", "[null]"]
    for partition in partitions:
        run(container.create_item({"id": id_, "isolation_key": partition, "own": repr(partition)}))

    for partition in partitions:
        assert run(container.read_item(id_, partition))["own"] == repr(partition)
        run(container.delete_item(id_, partition))


def test_null_absent_and_empty_are_different_partitions(
    container: ContainerProxy, run: Run, wrong_in: WrongIn
) -> None:
    wrong_in("vercel", "takes an absent and an empty partition key for null")
    null = _document(None)
    id_ = null["id"]
    documents: list[dict[str, Any]] = [null, {"id": id_}, {**null, "isolation_key": ""}]
    partitions: list[Any] = [None, NonePartitionKeyValue, ""]
    for document in documents:
        run(container.create_item(document))

    for number, partition in enumerate(partitions):
        run(container.patch_item(id_, partition, _set(str(number))))
    for number, partition in enumerate(partitions):
        assert run(container.read_item(id_, partition))["metadata"] == {"n": str(number)}
        run(container.delete_item(id_, partition))


def test_an_id_is_unique_in_its_partition_only(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    mine = _document(key, metadata={"n": "mine"})
    theirs = {**mine, "isolation_key": new_user(), "metadata": {"n": "theirs"}}
    run(container.create_item(mine))
    run(container.create_item(theirs))

    with pytest.raises(CosmosResourceExistsError) as conflict:
        run(container.create_item({**mine, "metadata": {}}))
    run(container.patch_item(mine["id"], key, _set("1")))
    run(container.delete_item(mine["id"], key))

    assert conflict.value.status_code == 409
    untouched = run(container.read_item(theirs["id"], theirs["isolation_key"]))
    assert untouched["metadata"] == {"n": "theirs"}


def test_what_is_missing_is_not_found(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    for operation in (
        container.patch_item(MISSING, key, _set("1")),
        container.delete_item(MISSING, key),
    ):
        with pytest.raises(CosmosResourceNotFoundError) as error:
            run(operation)
        assert error.value.status_code == 404
        assert not error.value.sub_status


def test_a_patch_makes_the_property_that_was_not_there(
    container: ContainerProxy, key: IsolationKey, run: Run
) -> None:
    document = _document(key, created_at=1)
    run(container.create_item(document))

    answer = run(container.patch_item(document["id"], key, _set("1")))

    ours = {name: value for name, value in answer.items() if not name.startswith("_")}
    assert ours == {**document, "metadata": {"n": "1"}}


@pytest.mark.parametrize("path", ["/id", "/isolation_key"])
def test_a_patch_cannot_move_a_document(
    container: ContainerProxy, key: IsolationKey, run: Run, path: str
) -> None:
    document = _document(key)
    run(container.create_item(document))

    with pytest.raises(CosmosHttpResponseError) as refused:
        run(
            container.patch_item(
                document["id"], key, [{"op": "set", "path": path, "value": "elsewhere"}]
            )
        )

    assert refused.value.status_code == 400
    assert run(container.read_item(document["id"], key))["isolation_key"] == key
