"""Queries of the list of conversations that are refused (docs/contract.md#list-conversations).

A filter that is mistyped must not return too much.
"""

from urllib.parse import quote

import pytest

from tests.support.errors import assert_error
from tests.support.limits import METADATA_KEY_LENGTH, METADATA_VALUE_LENGTH, QUOTED_LENGTH
from tests.support.rest import Rest

LONGEST_KEY, LONGEST_VALUE = "k" * METADATA_KEY_LENGTH, "v" * METADATA_VALUE_LENGTH

DUPLICATE = (
    "Duplicate parameter: '{0}'. You provided multiple values for this parameter, whereas only one "
    "is allowed."
)
CURSOR = "Invalid '{}': '{}'. Expected an ID that begins with 'conv_'."
MALFORMED = "Invalid '{}': '{}'. Malformed identifier."
UNKNOWN = "Unknown parameter: '{}'."

WRONG_QUERIES = [
    *(
        (f"{name}={quote(text, safe='')}", "invalid_value", name, CURSOR.format(name, text))
        for name in ("after", "before")
        for text in ("", "foo", "msg_1", "CONV_1", "../conv_1", "é")
    ),
    (
        "after=" + "x" * (QUOTED_LENGTH + 1),
        "invalid_value",
        "after",
        CURSOR.format("after", "xxx...xxx"),
    ),
    ("before=conv_", "invalid_value", "before", MALFORMED.format("before", "conv_")),
    ("after=conv_a-b", "invalid_value", "after", MALFORMED.format("after", "conv_a-b")),
    *(
        (query, "unknown_parameter", name, UNKNOWN.format(name))
        for query, name in (
            ("metadata[k=v", "metadata[k"),
            ("metadata[k]x=v", "metadata[k]x"),
            ("metadata.k=v", "metadata.k"),
            ("metadata%2Ek=v", "metadata.k"),
            ("metadata_k=v", "metadata_k"),
            ("metadatas=v", "metadatas"),
            ("metadata]k[=v", "metadata]k["),
            ("metadata[[k=v", "metadata[[k"),
            ("metadata[k][+=v", "metadata[k][ "),
            ("metadata+[k]=v", "metadata [k]"),
        )
    ),
    *(
        (
            query,
            "invalid_type",
            "metadata",
            "Invalid type for 'metadata': expected a metadata object, but got a string instead.",
        )
        for query in ("metadata=x", "metadata=", "metadata={}", "metadata")
    ),
    *(
        (query, "duplicate_parameter", param, DUPLICATE.format(param))
        for query, param in (
            ("metadata[k]=1&metadata[k]=1", "metadata[k]"),
            ("metadata[k]=1&metadata%5Bk%5D=2", "metadata[k]"),
            ("agent_id=1&metadata[agent_id]=1", "metadata[agent_id]"),
            ("metadata[agent_name]=1&agent_name=1", "agent_name"),
            ("agent_id=1&agent_id=2", "agent_id"),
            ("limit=1&limit=1", "limit"),
            ("order=asc&order=asc", "order"),
            ("after=conv_1&after=conv_1", "after"),
            ("before=conv_1&before=conv_2", "before"),
        )
    ),
    (
        "&".join(f"metadata[{n}]=x" for n in range(17)),
        "object_above_max_properties",
        "metadata",
        (
            "Invalid 'metadata': too many properties. Expected an object with at most 16 "
            "properties, but got an object with 17 properties instead."
        ),
    ),
    (
        f"metadata[{LONGEST_KEY}k]=x",
        "property_name_above_max_length",
        f"metadata.{LONGEST_KEY}k",
        (
            "Invalid property name in 'metadata': 'kkk...kkk' is too long. Expected a string with "
            "maximum length 64, but got a string with length 65 instead."
        ),
    ),
    (
        f"agent_id={LONGEST_VALUE}v",
        "string_above_max_length",
        "metadata.agent_id",
        (
            "Invalid 'metadata.agent_id': string too long. Expected a string with maximum length "
            "512, but got a string with length 513 instead."
        ),
    ),
    (
        "after=conv_1&before=conv_2",
        "mutually_exclusive_parameters",
        "before",
        (
            "Mutually exclusive parameters: 'after' and 'before'. Ensure you are only providing "
            "one of them."
        ),
    ),
    (
        "limit=101",
        "integer_above_max_value",
        "limit",
        (
            "Invalid 'limit': integer above maximum value. Expected a value <= 100, but got 101 "
            "instead."
        ),
    ),
    (
        "limit=0",
        "integer_below_min_value",
        "limit",
        "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got 0 instead.",
    ),
    (
        "order=up",
        "invalid_value",
        "order",
        "Invalid value: 'up'. Supported values are: 'asc' and 'desc'.",
    ),
    ("metadata[k]=%ff", "invalid_value", None, "Invalid query: it is not valid UTF-8."),
    ("x=%c0%ae", "invalid_value", None, "Invalid query: it is not valid UTF-8."),
]


@pytest.mark.parametrize(("query", "code", "param", "text"), WRONG_QUERIES)
def test_a_wrong_query_never_lists_too_much(
    rest: Rest, query: str, code: str, param: str | None, text: str
) -> None:
    rest.create({"k": "v"})

    assert_error(rest.list_conversations(query), 400, code, param, text)


def test_all_faults_of_a_query_are_listed(rest: Rest) -> None:
    query = (
        "metadata[a]=1&metadata=x&metadata.k=1&limit=x&order=y&after=z&before=conv_1"
        "&agent_id=&agent_id="
    )

    answer = rest.list_conversations(query)

    assert answer.status == 400
    assert [(fault["code"], fault["param"]) for fault in answer.error["details"]] == [
        ("duplicate_parameter", "agent_id"),
        ("invalid_type", "limit"),
        ("invalid_value", "order"),
        ("mutually_exclusive_parameters", "before"),
        ("invalid_value", "after"),
        ("unknown_parameter", "metadata.k"),
        ("invalid_type", "metadata"),
    ]
