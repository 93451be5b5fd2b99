"""`If-Match`, `If-None-Match`, `Idempotency-Key` (RFC 9110 8.8.3, 13.1; contract, section 6)."""

import pytest

from conversations.api.conditions import (
    EntityTags,
    idempotency_key,
    if_match,
    if_none_match,
    repeatable_create,
    repeatable_write,
)
from tests.unit.refusals import Refusal, refusal


def tags(value: str) -> EntityTags:
    found = if_match({"if-match": value})
    assert found
    assert found == if_none_match({"if-none-match": value})
    return found


def test_without_the_header_there_is_no_condition() -> None:
    assert if_match({"if-none-match": '"a"'}) is None
    assert if_none_match({"if-match": '"a"'}) is None
    assert idempotency_key({}) is None


@pytest.mark.parametrize(
    ("value", "strong", "weak"),
    [
        ('"0123456789abcdef"', ["0123456789abcdef"], []),
        ('W/"a"', [], ["a"]),
        ('""', [""], []),
        ('"a","b"', ["a", "b"], []),
        ('"a" ,\t W/"b" , "c"', ["a", "c"], ["b"]),
        (', ,"a",,  ,"b", ', ["a", "b"], []),
        ('"a,b", "W/"', ["a,b", "W/"], []),
        ('"!#~", "é🧪\x80"', ["!#~", "é🧪\x80"], []),
        ('"*"', ["*"], []),
        ('"\\", "\'"', ["\\", "'"], []),
    ],
)
def test_a_list_of_entity_tags(value: str, strong: list[str], weak: list[str]) -> None:
    assert tags(value) == EntityTags(tuple(strong), tuple(weak))


@pytest.mark.parametrize("value", ["*", " *\t"])
def test_a_star_matches_whatever_exists(value: str) -> None:
    assert tags(value).match("anything")
    assert tags(value).match_weakly("anything")


def test_a_weak_tag_matches_in_weak_comparison_alone() -> None:
    both = tags('W/"a", "b"')

    assert [both.match(tag) for tag in "abc"] == [False, True, False]
    assert [both.match_weakly(tag) for tag in "abc"] == [True, True, False]


ILL_FORMED = [
    "",
    " ",
    ",",
    " , ,",
    "a",
    '"a',
    'a"',
    '"a" "b"',
    '"a""b"',
    "*,",
    "*, *",
    '*, "a"',
    '"a", *',
    'w/"a"',
    'W/ "a"',
    'W/a, "b"',
    '"a b"',
    '"a\x7f"',
    '"a";q=1',
    "'a'",
    '"a",' * 4000 + "x",
    "," * 32_000 + "x",
    " " * 32_000 + '"',
]


@pytest.mark.parametrize("value", ILL_FORMED, ids=lambda value: repr(value[:12]))
def test_what_is_no_list_of_entity_tags_is_refused(value: str) -> None:
    expected = "expected '*' or entity tags in quotes, separated by commas."
    assert refusal(if_match, {"if-match": value}) == Refusal(
        "invalid_value", "If-Match", f"Invalid 'If-Match': {expected}"
    )
    assert refusal(if_none_match, {"if-none-match": value}) == Refusal(
        "invalid_value", "If-None-Match", f"Invalid 'If-None-Match': {expected}"
    )


@pytest.mark.parametrize("key", ["a", "~" * 255, "a,b", '"quoted" key', "!"])
def test_an_idempotency_key_is_opaque(key: str) -> None:
    assert idempotency_key({"idempotency-key": key}) == key


@pytest.mark.parametrize("key", ["", "a" * 256, "é", "a\tb", "a\n", "\x7f"])
def test_an_ill_formed_idempotency_key_is_refused(key: str) -> None:
    assert refusal(idempotency_key, {"idempotency-key": key}) == Refusal(
        "invalid_value",
        "Idempotency-Key",
        "Invalid 'Idempotency-Key': expected 1 to 255 printable ASCII characters.",
    )


def test_a_create_may_be_repeated_with_a_key_alone() -> None:
    assert repeatable_create({"idempotency-key": "a"})
    assert not repeatable_create({})
    assert not repeatable_create({"if-match": '"a"'})


def test_another_write_may_be_repeated_unless_it_is_conditional() -> None:
    assert repeatable_write({"idempotency-key": "a", "if-none-match": "*"})
    assert not repeatable_write({"if-match": "*"})
