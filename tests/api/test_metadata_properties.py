"""The metadata limits as properties: whatever is within them comes back, whatever is not is named.

Lengths are code points; the strategies draw near the edges, from every plane of Unicode.
"""

import secrets
from typing import Any

import hypothesis.strategies as st
from hypothesis import HealthCheck, given, settings

from tests.support.limits import METADATA_KEY_LENGTH, METADATA_PAIRS, METADATA_VALUE_LENGTH
from tests.support.rest import Rest

# Everything but surrogates, which are no characters.
CHARACTERS = st.characters(exclude_categories=["Cs"])

# Over real HTTP an example takes as long as the machine lets it.
over_http = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def near(limit: int) -> st.SearchStrategy[int]:
    return st.integers(0, limit + 3) | st.sampled_from([limit - 1, limit, limit + 1])


@st.composite
def texts(draw: st.DrawFn, limit: int) -> str:
    """A text of a drawn length: a few drawn characters, then one repeated (big draws are slow)."""
    length = draw(near(limit))
    start = draw(st.text(CHARACTERS, max_size=min(length, 8)))
    return start + draw(CHARACTERS) * (length - len(start))


@st.composite
def metadata(draw: st.DrawFn) -> dict[str, str]:
    size = draw(near(METADATA_PAIRS))
    # Values first: drawing keys until enough are distinct would favour long ones.
    values = [draw(texts(METADATA_VALUE_LENGTH)) if n < 3 else "" for n in range(size)]
    keys: set[str] = set()
    while len(keys) < size:
        keys.add(draw(texts(METADATA_KEY_LENGTH)) if len(keys) < 3 else secrets.token_hex(4))
    return dict(zip(sorted(keys), values, strict=True))


def faults(pairs: dict[str, str]) -> list[tuple[str, str]]:
    """What the contract says is wrong with `pairs`, as code and param."""
    found = [("object_above_max_properties", "metadata")] if len(pairs) > METADATA_PAIRS else []
    for key, value in pairs.items():
        if len(key) > METADATA_KEY_LENGTH:
            found.append(("property_name_above_max_length", f"metadata.{key}"))
        if len(value) > METADATA_VALUE_LENGTH:
            found.append(("string_above_max_length", f"metadata.{key}"))
    return found


def found_in(error: dict[str, Any]) -> list[tuple[str, str]]:
    return [(fault["code"], fault["param"]) for fault in error.get("details", [error])]


@over_http
@given(metadata())
def test_metadata_comes_back_or_is_refused_with_all_its_faults(
    base_url: str, pairs: dict[str, str]
) -> None:
    rest = Rest(base_url, f"user-{secrets.token_hex(8)}")
    conversation = rest.create({"before": "1"})

    answer = rest.update(conversation["id"], {"metadata": pairs})

    expected = faults(pairs)
    if expected:
        assert answer.status == 400
        assert found_in(answer.error) == expected
        assert rest.retrieve(conversation["id"]).json() == conversation
    else:
        assert answer.status == 200
        assert answer.json() == {**conversation, "metadata": pairs}
        assert rest.retrieve(conversation["id"]).json() == answer.json()


@over_http
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    )
)
def test_any_json_value_gets_an_answer_of_the_contract(base_url: str, value: Any) -> None:
    rest = Rest(base_url, "user-of-any-json")

    answer = rest.update("conv_missing", value)

    valid = isinstance(value, dict) and list(value) == ["metadata"]
    if answer.status == 404:
        assert valid
        assert answer.error["code"] is None
    else:
        assert answer.status == 400
        assert answer.error["code"] in {
            "invalid_json",  # text() draws surrogates, which json.dumps writes as lone escapes
            "invalid_type",
            "missing_required_parameter",
            "unknown_parameter",
        }
