"""The queries of the two lists (contract-items, sections 3 to 5)."""

import random
from urllib.parse import urlencode

import pytest

from conversations.api.query import (
    INCLUDABLE,
    ConversationsQuery,
    ItemsQuery,
    Page,
    check_include,
    conversations_query,
    items_query,
)
from tests.unit.refusals import Refusal, refusal, refusals

URL = "http://localhost/openai/v1/conversations"


def items(query: str) -> ItemsQuery:
    return items_query(f"{URL}/conv_1/items?{query}")


def conversations(query: str) -> ConversationsQuery:
    return conversations_query(f"{URL}?{query}")


def include(query: str) -> None:
    check_include(f"{URL}/conv_1/items/msg_1?{query}")


def test_without_a_query_a_page_is_the_newest_twenty() -> None:
    for url in (URL, URL + "?", URL + "?&&", URL + "?api-version=1&x=&Limit=0&limit[]=0"):
        assert items_query(url) == ItemsQuery(Page(20, "desc", None, None), None)
        assert conversations_query(url) == ConversationsQuery(Page(20, "desc", None, None), {})


def test_a_query_of_items() -> None:
    assert items("limit=1&order=asc&after=msg_1&item_type=a2a_call") == ItemsQuery(
        Page(1, "asc", "msg_1", None), "a2a_call"
    )
    assert items("before=%20a+b%2B").page.before == " a b+"


def test_a_query_of_conversations() -> None:
    assert conversations("limit=100&order=desc&before=conv_1&metadata[a]=b") == ConversationsQuery(
        Page(100, "desc", None, "conv_1"), {"a": "b"}
    )


@pytest.mark.parametrize(
    ("cursor", "text"),
    [("", ""), ("conv_1", "conv_1"), ("x" * 200, "x" * 200), ("%00", "\0"), ("%F0%9F%A7%AA", "🧪")],
)
def test_any_text_is_a_cursor_of_items(cursor: str, text: str) -> None:
    assert items(f"after={cursor}").page.after == text


@pytest.mark.parametrize(
    ("text", "limit"), [("1", 1), ("100", 100), ("007", 7), ("0" * 5000 + "9", 9)]
)
def test_a_limit(text: str, limit: int) -> None:
    assert items(f"limit={text}").page.limit == limit
    assert conversations(f"limit={text}").page.limit == limit


@pytest.mark.parametrize(
    ("text", "shown"), [("101", "101"), ("01000", "1000"), ("9" * 5000, "999...999")]
)
def test_a_limit_above_the_maximum(text: str, shown: str) -> None:
    for read in (items, conversations):
        assert refusal(read, f"limit={text}") == Refusal(
            "integer_above_max_value",
            "limit",
            "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got "
            f"{shown} instead.",
        )


@pytest.mark.parametrize(
    ("text", "shown"),
    [("0", "0"), ("-0", "0"), ("-1", "-1"), ("-" + "9" * 5000, "-99...999")],
)
def test_a_limit_below_the_minimum(text: str, shown: str) -> None:
    for read in (items, conversations):
        assert refusal(read, f"limit={text}") == Refusal(
            "integer_below_min_value",
            "limit",
            "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got "
            f"{shown} instead.",
        )


@pytest.mark.parametrize(
    "text", ["", "x", "1.0", "1e1", "%2B1", "+1", "--1", "0x1", "%D9%A1", "1,2"]
)
def test_a_limit_that_is_no_integer(text: str) -> None:
    for read in (items, conversations):
        assert refusal(read, f"limit={text}") == Refusal(
            "invalid_type",
            "limit",
            "Invalid type for 'limit': expected an integer, but got a string instead.",
        )


@pytest.mark.parametrize(
    ("text", "shown"),
    [("up", "up"), ("", ""), ("ASC", "ASC"), ("abc" + "-" * 60 + "xyz", "abc...xyz")],
)
def test_an_order_that_there_is_not(text: str, shown: str) -> None:
    for read in (items, conversations):
        assert refusal(read, f"order={text}") == Refusal(
            "invalid_value",
            "order",
            f"Invalid value: '{shown}'. Supported values are: 'asc' and 'desc'.",
        )


@pytest.mark.parametrize(
    ("text", "shown"),
    [("A+b", "A b"), ("", ""), ("_a", "_a"), ("a" * 65, "aaa...aaa"), ("a%0A", "a\n")],
)
def test_an_ill_formed_item_type(text: str, shown: str) -> None:
    assert refusal(items, f"item_type={text}") == Refusal(
        "invalid_value",
        "item_type",
        f"Invalid 'item_type': '{shown}'. Expected lower-case letters, digits and '_', at most 64.",
    )


SUPPORTED = (
    "Supported values are: 'file_search_call.results', 'web_search_call.results', "
    "'web_search_call.action.sources', 'message.input_image.image_url', "
    "'computer_call_output.output.image_url', 'code_interpreter_call.outputs', "
    "'reasoning.encrypted_content', and 'message.output_text.logprobs'."
)


def test_everything_may_be_included_in_every_way_of_writing_it() -> None:
    for query in (
        "include=" + ",".join(INCLUDABLE),
        "&".join(f"include[]={name}" for name in INCLUDABLE),
        "include=reasoning.encrypted_content&include%5B%5D=code_interpreter_call.outputs",
        "include[]=reasoning.encrypted_content%2Creasoning.encrypted_content",
    ):
        include(query)
        assert items(query) == ItemsQuery(Page())


@pytest.mark.parametrize(
    ("query", "shown", "index"),
    [
        ("include=x", "x", 0),
        ("include=", "", 0),
        ("include[]=", "", 0),
        ("include[]=reasoning.encrypted_content&include=x", "x", 1),
        ("include=reasoning.encrypted_content,", "", 1),
        ("include=" + "abc" * 30, "abc...abc", 0),
    ],
)
def test_what_cannot_be_included(query: str, shown: str, index: int) -> None:
    for read in (items, include):
        assert refusal(read, query) == Refusal(
            "invalid_value", f"include[{index}]", f"Invalid value: '{shown}'. {SUPPORTED}"
        )


def test_a_list_of_conversations_includes_nothing() -> None:
    assert conversations("include=x&item_type=A&agent=1") == ConversationsQuery()


def duplicate(name: str) -> Refusal:
    return Refusal(
        "duplicate_parameter",
        name,
        f"Duplicate parameter: '{name}'. You provided multiple values for this parameter, whereas "
        "only one is allowed.",
    )


@pytest.mark.parametrize("name", ["limit", "order", "after", "before"])
def test_a_repeated_parameter(name: str) -> None:
    for read in (items, conversations):
        assert refusal(read, f"{name}=&x=1&{name}=y") == duplicate(name)


def test_a_repeated_item_type() -> None:
    assert refusal(items, "item_type=a&item_type=a") == duplicate("item_type")


def test_two_cursors_exclude_each_other() -> None:
    expected = Refusal(
        "mutually_exclusive_parameters",
        "before",
        "Mutually exclusive parameters: 'after' and 'before'. Ensure you are only providing one "
        "of them.",
    )
    assert refusal(items, "before=&after=msg_1") == expected
    assert refusal(conversations, "before=conv_1&after=conv_1") == expected


@pytest.mark.parametrize(
    ("cursor", "expected"),
    [
        ("foo", "Expected an ID that begins with 'conv_'."),
        ("", "Expected an ID that begins with 'conv_'."),
        ("conv_", "Malformed identifier."),
        ("conv_a/b", "Malformed identifier."),
    ],
)
@pytest.mark.parametrize("name", ["after", "before"])
def test_a_cursor_that_is_no_conversation(name: str, cursor: str, expected: str) -> None:
    assert refusal(conversations, f"{name}={cursor}") == Refusal(
        "invalid_value", name, f"Invalid '{name}': '{cursor}'. {expected}"
    )


def test_a_long_cursor_is_quoted_by_its_ends() -> None:
    found = refusal(conversations, "after=conv_" + "a" * 200)
    assert found.message == "Invalid 'after': 'con...aaa'. Malformed identifier."


@pytest.mark.parametrize("query", ["after=%FF", "x=%C3", "%ED%A0%80", "metadata[%FF]=a"])
def test_a_query_that_is_no_utf8(query: str) -> None:
    for read in (items, conversations, include):
        assert refusal(read, query) == Refusal(
            "invalid_value", None, "Invalid query: it is not valid UTF-8."
        )


@pytest.mark.parametrize(
    ("query", "metadata"),
    [
        ("metadata[k]=", {"k": ""}),
        ("metadata[k]", {"k": ""}),
        ("metadata[]=v", {"": "v"}),
        ("metadata%5Bk%5D=a%26b%3D+c", {"k": "a&b= c"}),
        ("metadata[a]b]=v&metadata[[]=w", {"a]b": "v", "[": "w"}),
        ("metadata[a=b]=v", None),
        ("metadata[a%3Db%0A]=v", {"a=b\n": "v"}),
        ("metadata[K]=V&metadata[k]=v", {"K": "V", "k": "v"}),
        ("metadata[%F0%9F%A7%AA]=%E7%95%8C", {"🧪": "界"}),
        ("agent_id=a&agent_name=b&metadata[c]=d", {"agent_id": "a", "agent_name": "b", "c": "d"}),
        ("metadata[" + "k" * 64 + "]=" + "v" * 512, {"k" * 64: "v" * 512}),
    ],
)
def test_filters(query: str, metadata: dict[str, str] | None) -> None:
    if metadata is None:  # the name ends at the first `=`
        assert refusal(conversations, query).param == "metadata[a"
    else:
        assert conversations(query).metadata == metadata


@pytest.mark.parametrize(
    "name", ["metadata[k", "metadata[k]x", "metadata.k", "metadata]", "metadatas", "metadata k"]
)
def test_a_mistyped_filter_does_not_return_everything(name: str) -> None:
    assert refusal(conversations, urlencode({name: "v"})) == Refusal(
        "unknown_parameter", name, f"Unknown parameter: '{name}'."
    )


def test_a_filter_without_a_key() -> None:
    assert refusal(conversations, "metadata=x") == Refusal(
        "invalid_type",
        "metadata",
        "Invalid type for 'metadata': expected a metadata object, but got a string instead.",
    )


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("metadata[k]=a&metadata%5Bk%5D=a", "metadata[k]"),
        ("agent_id=a&metadata[agent_id]=a", "metadata[agent_id]"),
        ("metadata[agent_name]=a&agent_name=b", "agent_name"),
        ("agent_id=a&agent_id=b", "agent_id"),
    ],
)
def test_one_key_twice(query: str, name: str) -> None:
    assert refusal(conversations, query) == duplicate(name)


def test_filters_obey_the_limits_of_metadata() -> None:
    seventeen = "&".join(f"metadata[{n}]={n}" for n in range(16)) + "&agent_id=1"
    assert refusal(conversations, seventeen) == Refusal(
        "object_above_max_properties",
        "metadata",
        "Invalid 'metadata': too many properties. Expected an object with at most 16 properties, "
        "but got an object with 17 properties instead.",
    )
    key = "abc" + "k" * 64 + "xyz"
    assert refusals(conversations, f"metadata[{key}]={'v' * 513}") == [
        Refusal(
            "property_name_above_max_length",
            f"metadata.{key}",
            "Invalid property name in 'metadata': 'abc...xyz' is too long. Expected a string with "
            "maximum length 64, but got a string with length 70 instead.",
        ),
        Refusal(
            "string_above_max_length",
            f"metadata.{key}",
            f"Invalid 'metadata.{key}': string too long. Expected a string with maximum length "
            "512, but got a string with length 513 instead.",
        ),
    ]


def test_all_that_is_wrong_is_told_in_one_order() -> None:
    """Whatever the order in the URL: repeated, limit, order, type, include, cursors, filters."""
    wrong = ["limit=x", "order=up", "item_type=A", "include=x", "after=a", "before=b"]
    random.Random(1).shuffle(wrong)
    assert [found.param for found in refusals(items, "&".join(wrong))] == [
        "limit",
        "order",
        "item_type",
        "include[0]",
        "before",
    ]
    wrong = ["metadata[a]=1&metadata[a]=2", "metadata.k=1", "metadata=1", "limit=0", "after=a"]
    random.Random(2).shuffle(wrong)
    assert [found.param for found in refusals(conversations, "&".join(wrong))] == [
        "metadata[a]",
        "limit",
        "after",
        "metadata.k",
        "metadata",
    ]


def test_not_more_than_a_hundred_errors_are_told() -> None:
    assert len(refusals(items, "include=" + "," * 8000)) == 100
    assert len(refusals(conversations, "&".join(f"metadata{n}=" for n in range(900)))) == 100
