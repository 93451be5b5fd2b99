"""The stand-in's SQL: what a query means for one document, by Microsoft's tables.

https://learn.microsoft.com/azure/cosmos-db/nosql/query/equality-comparison-operators
"""

from typing import Any

import pytest

from local.cosmos.expressions import UNDEFINED
from local.cosmos.sql import SqlError, parse_condition, parse_query

DOCUMENT = {
    "none": None,
    "yes": True,
    "no": False,
    "one": 1,
    "half": 0.5,
    "text": "abc",
    "empty": "",
    "object": {"a": 1, "b": {"c": "deep"}},
    "list": [1, 2],
    "metadata": {"topic": "demo", "a.b": "dots", "q\"uo'te": "quotes", "": "nameless"},
}


def value(expression: str, **parameters: Any) -> Any:
    query = parse_query(f"SELECT VALUE {expression} FROM c")
    return query.select(DOCUMENT, {f"@{name}": value for name, value in parameters.items()})


def is_a_result(condition: str, document: dict[str, Any], **parameters: Any) -> bool:
    query = parse_query(f"SELECT * FROM c WHERE {condition}")
    named = {f"@{name}": value for name, value in parameters.items()}
    assert query.parameters == named.keys()
    return query.matches(document, named)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("c", DOCUMENT),
        ("c.one", 1),
        ('c["one"]', 1),
        ("c['one']", 1),
        ("c.object.b.c", "deep"),
        ("c.object['b'].c", "deep"),
        ("c.none", None),
        ("c.missing", UNDEFINED),
        ("c.missing.further", UNDEFINED),
        ("c.text.length", UNDEFINED),
        ("c.One", UNDEFINED),
        ("c.metadata['a.b']", "dots"),
        (r"""c.metadata['q"uo\'te']""", "quotes"),
        (r"""c.metadata["q\"uo'te"]""", "quotes"),
        ("c.metadata['']", "nameless"),
        ("'it\\'s'", "it's"),
        (r"'\"\\\/\b\f\n\r\t'", '"\\/\b\f\n\r\t'),
        (r"'\u00e9\ud83e\uddea'", "é🧪"),
        ("'界'", "界"),
        ('"--"', "--"),
        ("-1", -1),
        ("1.5e2", 150),
        ("0.1", 0.1),
        ("true", True),
        ("FALSE", False),
        ("null", None),
        ("undefined", UNDEFINED),
    ],
)
def test_values(expression: str, expected: Any) -> None:
    found = value(expression)

    assert found == expected
    assert type(found) is type(expected)


T, F, U = "c.yes", "c.no", "c.missing"
TRUTH = {T: True, F: False, U: UNDEFINED}


@pytest.mark.parametrize(
    ("left", "right", "both", "either"),
    [
        (T, T, T, T),
        (T, F, F, T),
        (T, U, U, T),
        (F, T, F, T),
        (F, F, F, F),
        (F, U, F, U),
        (U, T, U, T),
        (U, F, F, U),
        (U, U, U, U),
        ("c.one", T, U, T),
        ("c.none", F, F, U),
    ],
)
def test_and_and_or_have_three_values(left: str, right: str, both: str, either: str) -> None:
    assert value(f"{left} AND {right}") is TRUTH[both]
    assert value(f"{left} OR {right}") is TRUTH[either]


@pytest.mark.parametrize(
    ("operand", "expected"), [(T, False), (F, True), (U, UNDEFINED), ("c.one", UNDEFINED)]
)
def test_not_has_three_values(operand: str, expected: Any) -> None:
    assert value(f"NOT {operand}") is expected
    assert value(f"NOT NOT NOT {operand}") is expected


KINDS = ["c.missing", "c.none", "c.yes", "c.one", "c.text", "c.object", "c.list"]


@pytest.mark.parametrize("left", KINDS)
@pytest.mark.parametrize("right", KINDS)
def test_different_types_are_not_compared(left: str, right: str) -> None:
    for symbol in ("=", "!=", "<", "<=", ">", ">="):
        found = value(f"{left} {symbol} {right}")
        if left != right or left == "c.missing":
            assert found is UNDEFINED
        elif left in {"c.object", "c.list"}:  # which have no order
            assert found is (True if symbol == "=" else UNDEFINED)
        else:
            assert found is (symbol in {"=", "<=", ">="})


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("c.one = 1.0", True),
        ("c.one != 2", True),
        ("c.half < c.one", True),
        ("2 <= c.one", False),
        ("c.text > 'abb'", True),
        ("c.text > 'abcd'", False),
        ("'Z' < 'a'", True),
        ("'界' < '🧪'", True),
        ("c.empty = ''", True),
        ("c.no < c.yes", True),
        ("c.object = c.object.b", False),
        ("c.one = true", UNDEFINED),
    ],
)
def test_comparisons(expression: str, expected: Any) -> None:
    assert value(expression) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IS_DEFINED(c.none)", True),
        ("IS_DEFINED(c.missing)", False),
        ("is_defined(c.metadata.topic)", True),
        ("STARTSWITH(c.text, 'ab')", True),
        ("STARTSWITH(c.text, '')", True),
        ("STARTSWITH(c.text, 'AB')", False),
        ("STARTSWITH(c.one, 'a')", UNDEFINED),
        ("STARTSWITH(c.text, c.missing)", UNDEFINED),
    ],
)
def test_functions(expression: str, expected: Any) -> None:
    assert value(expression) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("c.no AND c.no OR c.yes", True),
        ("c.no AND (c.no OR c.yes)", False),
        ("c.yes OR c.no AND c.no", True),
        ("NOT c.yes OR c.yes", True),
        ("NOT (c.yes OR c.yes)", False),
        ("NOT IS_DEFINED(c.missing) AND c.one = 1", True),
        ("c.one = 1 and c.text = 'abc' AnD c.yes", True),
    ],
)
def test_precedence(expression: str, expected: bool) -> None:
    assert value(expression) is expected


def test_undefined_is_no_result() -> None:
    assert is_a_result("c.a = 1", {"a": 1})
    assert not is_a_result("c.a = 1", {"a": 2})
    assert not is_a_result("c.a = 1", {})
    assert not is_a_result("NOT (c.a = 1)", {})
    assert not is_a_result("c.a", {"a": 1})
    assert not is_a_result("c.a", {"a": "true"})


def test_null_is_not_absent() -> None:
    assert is_a_result("c.a = null", {"a": None})
    assert not is_a_result("c.a = null", {})
    assert not is_a_result("c.a = @v", {}, v=None)
    assert not is_a_result("c.a != null", {"a": 1})


@pytest.mark.parametrize("key", ["a", "", "a.b", 'x" OR true OR "', "@k", "界", "__proto__"])
def test_a_parameter_names_a_property(key: str) -> None:
    document = {"metadata": {key: "1"}}
    condition = "c.metadata[@k] = @v"

    assert is_a_result(condition, document, k=key, v="1")
    assert not is_a_result(condition, document, k=key, v="2")
    assert not is_a_result(condition, document, k=key + "x", v="1")
    assert not is_a_result(condition, {}, k=key, v="1")
    assert not is_a_result(condition, document, k=0, v="1")


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ("*", {"a": 1, "b": {"c": 2}}),
        ("c.a", {"a": 1}),
        ("c.a, c.b.c", {"a": 1, "c": 2}),
        ("c['a'] AS x, c.missing", {"x": 1}),
        ("c.missing", {}),
        ("VALUE c.b", {"c": 2}),
        ("VALUE c.missing", UNDEFINED),
        ("c", {"c": {"a": 1, "b": {"c": 2}}}),
    ],
)
def test_select(columns: str, expected: Any) -> None:
    query = parse_query(f"select {columns} from c")

    assert query.select({"a": 1, "b": {"c": 2}}, {}) == expected


def test_order_by() -> None:
    for text, descending in (("", False), (" ASC", False), (" desc", True)):
        query = parse_query(f"SELECT * FROM root ORDER BY root.sort_key{text}")

        assert query.order_by
        assert query.order_by.is_named("sort_key")
        assert query.descending is descending


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "FROM"),
        ("SELECT *", "FROM"),
        ("SELECT * FROM", "FROM"),
        ("SELECT * FROM c WHERE", "the end"),
        ("SELECT * FROM c WHERE c.a =", "the end"),
        ("SELECT * FROM c WHERE (c.a = 1", "the end"),
        ("SELECT * FROM c WHERE c.a = 1)", "')'"),
        ("SELECT * FROM c WHERE c.a = 'x", "'x"),
        ("SELECT * FROM c WHERE c.a = '\\x'", "'\\x'"),
        ("SELECT * FROM c WHERE c.a = '\\ud800'", "ud800"),
        ("SELECT * FROM c WHERE c.a == 1", "'='"),
        ("SELECT * FROM c WHERE c.a = 1 = 1", "'='"),
        ("SELECT * FROM c WHERE c.a + 1 = 2", "+"),
        ("SELECT * FROM c WHERE c.a IN (1)", "'IN'"),
        ("SELECT * FROM c WHERE c.a BETWEEN 1 AND 2", "'BETWEEN'"),
        ("SELECT * FROM c WHERE c.a LIKE 'x'", "'LIKE'"),
        ("SELECT * FROM c WHERE c[0] = 1", "'0'"),
        ("SELECT * FROM c WHERE c[c.a] = 1", "'c'"),
        ("SELECT * FROM c WHERE c.value = 1", "'value'"),
        ("SELECT * FROM c WHERE d.a = 1", "'d'"),
        ("SELECT * FROM c WHERE CONTAINS(c.a, 'x')", "CONTAINS"),
        ("SELECT * FROM c WHERE IS_DEFINED(c.a, c.b)", "IS_DEFINED"),
        ("SELECT * FROM c WHERE IS_DEFINED()", "')'"),
        ("SELECT * FROM c WHERE NOT c.a = 1", "'='"),
        ("SELECT * FROM c WHERE c.a = 1e999", "1e999"),
        ("SELECT * FROM c WHERE c.a = ?", "?"),
        ("SELECT * FROM c; DROP", ";"),
        ("SELECT * FROM c -- all", "--"),
        ("SELECT * FROM c JOIN d IN c.d", "'JOIN'"),
        ("SELECT * FROM c GROUP BY c.a", "'GROUP'"),
        ("SELECT * FROM c OFFSET 1 LIMIT 1", "'OFFSET'"),
        ("SELECT * FROM c ORDER BY c.a, c.b", "','"),
        ("SELECT TOP 1 * FROM c", "'TOP'"),
        ("SELECT DISTINCT c.a FROM c", "'DISTINCT'"),
        ("SELECT COUNT(1) FROM c", "'COUNT'"),
        ("SELECT VALUE COUNT(1) FROM c", "COUNT"),
        ("SELECT c[@a] FROM c", "@a"),
        ("SELECT c.a c.b FROM c", "'c'"),
        ("UPDATE c SET c.a = 1 FROM c", "'UPDATE'"),
        ("SELECT * FROM c WHERE " + "(" * 200 + "true" + ")" * 200, "100 levels"),
        ("SELECT * FROM c WHERE " + "NOT " * 200 + "true", "100 levels"),
        ("SELECT * FROM c WHERE " + "true OR " * 100_000 + "true", "524288"),
    ],
)
def test_what_it_does_not_know_is_named(text: str, named: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_query(text)

    assert named in str(refused.value)


def test_long_chains_are_no_nesting() -> None:
    chain = "SELECT VALUE c" + ".a" * 5_000 + " FROM c WHERE c.a = 1" + " AND c.a = 1" * 5_000

    assert not parse_query(chain).matches({"a": {}}, {})
    assert parse_query(chain).matches({"a": 1}, {})
    assert parse_query(chain).select({"a": {}}, {}) is UNDEFINED


def test_a_condition() -> None:
    condition = parse_condition(
        "FROM c WHERE NOT IS_DEFINED(c.last_position) OR c.last_position < '0005'"
    )

    assert condition.evaluate({}, {}) is True
    assert condition.evaluate({"last_position": "0004"}, {}) is True
    assert condition.evaluate({"last_position": "0005"}, {}) is False
    assert condition.evaluate({"last_position": None}, {}) is UNDEFINED


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("from c", "the end"),
        ("WHERE c.a = 1", "FROM"),
        ("SELECT * FROM c WHERE true", "'SELECT'"),
        ("FROM c WHERE c.a = @v", "@v"),
        ("FROM c WHERE true ORDER BY c.a", "'ORDER'"),
    ],
)
def test_what_is_no_condition_is_named(text: str, named: str) -> None:
    with pytest.raises(SqlError) as refused:
        parse_condition(text)

    assert named in str(refused.value)
