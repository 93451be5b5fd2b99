"""Queries of the list of items that are refused, row by row.

docs/contract.md#item-order-and-pages, docs/contract.md#item-errors.
"""

import pytest

from tests.support.errors import assert_error
from tests.support.includable import INCLUDABLE
from tests.support.limits import ERROR_DETAILS, ITEM_TYPE_LENGTH, PAGE_SIZE, QUOTED_LENGTH
from tests.support.rest import Rest

LIMIT = (
    f"Invalid 'limit': integer above maximum value. Expected a value <= {PAGE_SIZE}, but got "
    "{} instead."
)
MINIMUM = "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got {} instead."
SUPPORTED = "Invalid value: '{}'. Supported values are: {}."
INCLUDED = (
    ", ".join(f"'{name}'" for name in INCLUDABLE[:-1]) + ", and 'message.output_text.logprobs'"
)
DUPLICATE = (
    "Duplicate parameter: '{}'. You provided multiple values for this parameter, whereas only one "
    "is allowed."
)
ILL_FORMED_TYPE = (
    "Invalid 'item_type': '{}'. Expected lower-case letters, digits and '_', at most "
    f"{ITEM_TYPE_LENGTH}."
)
BOTH = (
    "Mutually exclusive parameters: 'after' and 'before'. Ensure you are only providing one of "
    "them."
)
NO_INTEGER = "Invalid type for 'limit': expected an integer, but got a string instead."

WRONG_QUERIES = [
    (f"limit={PAGE_SIZE + 1}", "integer_above_max_value", "limit", LIMIT.format(PAGE_SIZE + 1)),
    ("limit=1000", "integer_above_max_value", "limit", LIMIT.format(1000)),
    ("limit=0", "integer_below_min_value", "limit", MINIMUM.format(0)),
    ("limit=-1", "integer_below_min_value", "limit", MINIMUM.format(-1)),
    *(
        (f"limit={text}", "invalid_type", "limit", NO_INTEGER)
        for text in ("", "x", "1.0", "+1", "%201", "1e1", "1,2", "0x1", "%D9%A1", "--1")
    ),
    *(
        (f"order={text}", "invalid_value", "order", SUPPORTED.format(text, "'asc' and 'desc'"))
        for text in ("up", "", "ASC", "asc,desc")
    ),
    *(
        (f"include={text}", "invalid_value", "include[0]", SUPPORTED.format(text, INCLUDED))
        for text in ("", "x", "Reasoning.encrypted_content")
    ),
    (
        "include[]=reasoning.encrypted_content&include[]=y",
        "invalid_value",
        "include[1]",
        SUPPORTED.format("y", INCLUDED),
    ),
    *(
        (f"item_type={text}", "invalid_value", "item_type", ILL_FORMED_TYPE.format(text))
        for text in ("", "Message", "1a", "a-b", "_a")
    ),
    (
        "item_type=" + "a" * (ITEM_TYPE_LENGTH + 1),
        "invalid_value",
        "item_type",
        ILL_FORMED_TYPE.format("aaa...aaa"),
    ),
    *(
        (f"{name}=1&{name}=1", "duplicate_parameter", name, DUPLICATE.format(name))
        for name in ("limit", "order", "after", "before", "item_type")
    ),
    ("after=msg_1&before=msg_2", "mutually_exclusive_parameters", "before", BOTH),
    ("after=&before=", "mutually_exclusive_parameters", "before", BOTH),
]


@pytest.mark.parametrize(("query", "code", "param", "text"), WRONG_QUERIES)
def test_a_wrong_query(rest: Rest, query: str, code: str, param: str, text: str) -> None:
    """Found before the database is asked: the conversation is not there."""
    assert_error(rest.list_items("conv_0", query), 400, code, param, text)


@pytest.mark.parametrize("digits", [QUOTED_LENGTH + 1, 5000])
def test_a_limit_of_many_digits(rest: Rest, digits: int) -> None:
    answer = rest.list_items("conv_0", f"limit={'9' * digits}")

    expected = LIMIT.format("999...999")
    assert_error(answer, 400, "integer_above_max_value", "limit", expected)


def test_all_faults_of_a_query_are_listed_in_the_contracts_order(rest: Rest) -> None:
    query = "before=2&include=y&item_type=A&order=up&limit=0&after=1&order=up"

    answer = rest.list_items("conv_0", query)

    assert answer.status == 400
    assert [(fault["code"], fault["param"]) for fault in answer.error["details"]] == [
        ("duplicate_parameter", "order"),
        ("integer_below_min_value", "limit"),
        ("invalid_value", "item_type"),
        ("invalid_value", "include[0]"),
        ("mutually_exclusive_parameters", "before"),
    ]


def test_no_more_faults_are_listed_than_anybody_reads(rest: Rest) -> None:
    answer = rest.list_items("conv_0", "include=" + "x," * 500)

    assert answer.status == 400
    assert len(answer.error["details"]) == ERROR_DETAILS


@pytest.mark.parametrize("of_one", [True, False])
def test_a_wrong_include_where_items_are_created_or_retrieved(rest: Rest, of_one: bool) -> None:
    path = "/openai/v1/conversations/conv_0/items" + ("/msg_1" if of_one else "")

    for query, text in (("include=x", SUPPORTED.format("x", INCLUDED)), ("%ff", None)):
        answer = rest.send("GET" if of_one else "POST", f"{path}?{query}")

        text = text or "Invalid query: it is not valid UTF-8."
        param = "include[0]" if "include" in query else None
        assert_error(answer, 400, "invalid_value", param, text)
