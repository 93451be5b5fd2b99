"""Queries that the stand-in refuses: texts, bodies and headers, and those of nobody's documents."""

from typing import Any

import pytest

from tests.support.cosmos_rest import ALICE, LINK, QUERY, across, assert_cosmos_error, call, query
from tests.support.rest import Answer, Rest


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "string"),
        ("", "FROM"),
        ("SELECT * FROM c WHERE CONTAINS(c.id, 'x')", "CONTAINS"),
        ("SELECT TOP 1 * FROM c", "'TOP'"),
        ("SELECT * FROM c WHERE c.id = @missing", "@missing"),
        ("SELECT * FROM c ORDER BY c.created_at", "index"),
        ("SELECT * FROM c ORDER BY c.sort_key.x", "index"),
        ("SELECT * FROM c ORDER BY c._ts DESC", "index"),
        ("SELECT * FROM c WHERE c.x = '\ud800'", "'"),
    ],
)
def test_a_query_that_it_does_not_speak_is_named(cosmos: Rest, text: Any, named: str) -> None:
    answer = query(cosmos, text)

    assert_cosmos_error(answer, 400, "BadRequest")
    assert named in answer.json()["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": 1},
        {"query": "SELECT * FROM c", "parameters": 1},
        {"query": "SELECT * FROM c", "parameters": ["x"]},
        {"query": "SELECT * FROM c", "parameters": [{"name": "@x"}]},
        {"query": "SELECT * FROM c", "parameters": [{"name": [], "value": 1}]},
        {
            "query": "SELECT * FROM c WHERE c.sort_key > @x",
            "parameters": [{"name": "@x", "value": "\ud800"}],
        },
        ["SELECT * FROM c"],
    ],
)
def test_a_body_that_is_no_query_is_refused(cosmos: Rest, body: Any) -> None:
    answer = call(cosmos, "POST", "docs", LINK, body, **ALICE, **QUERY)

    assert_cosmos_error(answer, 400, "BadRequest")


@pytest.mark.parametrize(
    "headers",
    [
        {"x_ms_max_item_count": "0"},
        {"x_ms_max_item_count": "x"},
        {"x_ms_max_item_count": "-2"},
        {"x_ms_max_item_count": "9" * 5_000},
        {"x_ms_continuation": "x"},
        {"x_ms_continuation": "é"},
        {"x_ms_continuation": "W10="},
        {"x_ms_continuation": "WzEsMiwzXQ=="},
        {"x_ms_session_token": "x"},
        {"x_ms_session_token": "0:-1#x"},
        {"content_type": "application/json"},
        {"x_ms_documentdb_partitionkey": "x"},
    ],
)
def test_bad_headers_of_a_query_are_refused(cosmos: Rest, headers: dict[str, str]) -> None:
    assert_cosmos_error(query(cosmos, "SELECT * FROM c", **headers), 400, "BadRequest")


def test_a_query_says_whose_documents_it_wants(cosmos: Rest) -> None:
    def without_a_partition_key(text: str, **headers: str) -> Answer:
        sent = {**QUERY, **headers}
        return call(cosmos, "POST", "docs", LINK, {"query": text}, **sent)

    nobodys = without_a_partition_key("SELECT * FROM c")
    assert_cosmos_error(nobodys, 400, "BadRequest")
    assert "x-ms-documentdb-query-enablecrosspartition" in nobodys.json()["message"]
    # Cosmos DB's gateway merges no order of several partitions.
    ordered = across(cosmos, "SELECT * FROM c ORDER BY c.sort_key")
    assert_cosmos_error(ordered, 400, "BadRequest")
    assert ordered.headers["x-ms-substatus"] == "1004"
    in_a_range = "SELECT * FROM c WHERE c.sort_key = '' ORDER BY c.sort_key"
    in_the_one = without_a_partition_key(in_a_range, x_ms_documentdb_partitionkeyrangeid="0")
    assert (in_the_one.status, in_the_one.json()["Documents"]) == (200, [])
    gone = without_a_partition_key(in_a_range, x_ms_documentdb_partitionkeyrangeid="1")
    assert_cosmos_error(gone, 410, "Gone")
