"""Every limit stands in `conversations/limits.py` alone, and every page that tells it agrees.

To change a limit: change it there, run these tests, and correct what they name.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conversations import limits
from tests.support import ROOT

LIMITS: dict[str, int] = {
    name: value for name, value in vars(limits).items() if name.isupper() and name[0] != "_"
}

# Computed on the way to another, or told to nobody.
UNTOLD = {
    "LARGEST_UPDATE_BYTES",
    "MAX_BATCH_OPERATIONS",
    "MAX_QUOTED_NAME_LENGTH",
    # How the app deals with itself and with its issuer: no caller meets them.
    "ISSUER_KEYS_SECONDS",
    "MARKER_SECONDS",
    "MAX_REMEMBERED_TOKENS",
    "SWEEP_SECONDS",
    "TOKEN_LEEWAY_SECONDS",
}

# Where a limit is told: the page, the limit, and a pattern whose group is the number.
TOLD = [
    ("README.md", "MAX_ISOLATION_KEY_LENGTH", r"1 to (\d+) printable ASCII"),
    ("README.md", "MAX_METADATA_PAIRS", r"pairs in `metadata` \| (\d+) \|"),
    ("README.md", "MAX_METADATA_KEY_LENGTH", r"a key, a value \| (\d+), \d+ characters"),
    ("README.md", "MAX_METADATA_VALUE_LENGTH", r"a key, a value \| \d+, (\d+) characters"),
    ("README.md", "MAX_UPDATE_BYTES", r"of a create \| ([\d,]+) and"),
    ("README.md", "MAX_CREATE_BYTES", r"of a create \| [\d,]+ and ([\d,]+) bytes"),
    ("README.md", "MAX_ITEMS_PER_CALL", r"append up to (\d+) items"),
    ("README.md", "MAX_ITEMS_PER_CALL", r"items in a call \| (\d+), what"),
    ("README.md", "MAX_ITEM_ID_LENGTH", r"an item's id, its type \| (\d+) characters"),
    ("README.md", "MAX_ITEM_TYPE_LENGTH", r"an item's id, its type \| (\d+) characters"),
    ("README.md", "MAX_PAGE_SIZE", r"a page \| (\d+) entries"),
    ("README.md", "DEFAULT_PAGE_SIZE", r"a page \| \d+ entries, (\d+) if not said"),
    ("README.md", "MAX_PAGE_BYTES", r"ends early at (\d+ MiB)"),
    ("README.md", "MAX_IDEMPOTENCY_KEY_LENGTH", r"`Idempotency-Key` \| (\d+) characters"),
    ("README.md", "IDEMPOTENCY_SECONDS", r"`Idempotency-Key` \| \d+ characters, (\d+ hours)"),
    ("README.md", "MAX_COSMOS_NAME_LENGTH", r"name of the \w+[^|]* at most (\d+) characters"),
    ("README.md", "MAX_TIMEOUT_SECONDS", r"budget [^|]*\(at most (\d+)\)"),
    ("README.md", "DEFAULT_TIMEOUT_SECONDS", r"`COSMOS_TIMEOUT_SECONDS` \| [^|]* \| `(\d+)` \|"),
    ("SECURITY.md", "MAX_UPDATE_BYTES", r"Bodies of at most (\d+ KiB)"),
    ("SECURITY.md", "MAX_JSON_DEPTH", r"at most (\d+) levels deep"),
    ("docs/contract.md", "MAX_METADATA_PAIRS", r"\| pairs \| (\d+) \|"),
    ("docs/contract.md", "MAX_METADATA_PAIRS", r"more than (\d+) pairs"),
    ("docs/contract.md", "MAX_METADATA_PAIRS", r"with at most (\d+) properties"),
    ("docs/contract.md", "MAX_METADATA_KEY_LENGTH", r"\| characters of a key \| (\d+) \|"),
    ("docs/contract.md", "MAX_METADATA_KEY_LENGTH", r"a key of more than (\d+) characters"),
    ("docs/contract.md", "MAX_METADATA_KEY_LENGTH", r"(\d+) times `界` is a key"),
    ("docs/contract.md", "MAX_METADATA_VALUE_LENGTH", r"\| characters of a value \| (\d+) \|"),
    ("docs/contract.md", "MAX_METADATA_VALUE_LENGTH", r"a value of more than (\d+) characters"),
    ("docs/contract.md", "MAX_METADATA_VALUE_LENGTH", r"(\d+) times `🧪` is a value"),
    ("docs/contract.md", "MAX_UPDATE_BYTES", r"an update over ([\d,]+) bytes"),
    ("docs/contract.md", "MAX_CREATE_BYTES", r"create of either kind over ([\d,]+) \|"),
    ("docs/contract.md", "MAX_CREATE_BYTES", r"create of either kind \| ([\d,]+) bytes"),
    ("docs/contract.md", "MAX_ITEMS_PER_CALL", r"\| items in a call \| (\d+) \|"),
    ("docs/contract.md", "MAX_ITEMS_PER_CALL", r"array with maximum length (\d+)"),
    ("docs/contract.md", "MAX_BATCH_BYTES", r"\| the transaction itself \| (\d+ MB) \|"),
    ("docs/contract.md", "MAX_ITEM_ID_LENGTH", r"`id` over (\d+) characters"),
    ("docs/contract.md", "MAX_PAGE_SIZE", r"`limit` is 1 to (\d+), \d+ when absent"),
    ("docs/contract.md", "DEFAULT_PAGE_SIZE", r"`limit` is 1 to \d+, (\d+) when absent"),
    ("docs/contract.md", "MAX_PAGE_BYTES", r"\| a page \| (\d+ MiB)"),
    ("docs/contract.md", "MAX_SAFE_INTEGER", r"exponent\) beyond 2\^(\d+) - 1"),
    ("docs/contract.md", "MAX_QUOTED_VALUE_LENGTH", r"over (\d+) characters the first and"),
    ("docs/contract.md", "MAX_IDEMPOTENCY_KEY_LENGTH", r"creates \(ours\): 1 to (\d+) printable"),
    ("docs/contract.md", "IDEMPOTENCY_SECONDS", r"For (\d+ hours) a repetition"),
    ("docs/contract.md", "MAX_UPDATE_BYTES", r"Expected at most ([\d,]+) bytes"),
    ("docs/contract.md", "MAX_JSON_DEPTH", r"objects and arrays more than (\d+) deep"),
    (
        "docs/contract.md",
        "MAX_CONVERSATION_ID_LENGTH",
        r"(\d+) characters at most, so that an error",
    ),
    (
        "docs/contract.md",
        "MAX_ISOLATION_KEY_LENGTH",
        r"1 to (\d+) characters of printable ASCII \(",
    ),
    ("docs/contract.md", "MAX_ISOLATION_KEY_LENGTH", r"expected 1 to (\d+) printable ASCII"),
    ("docs/contract.md", "MAX_CLIENT_REQUEST_ID_LENGTH", r"was 1 to (\d+) characters"),
    ("docs/errors.md", "MAX_METADATA_PAIRS", r"more than (\d+) pairs"),
    ("docs/errors.md", "MAX_METADATA_KEY_LENGTH", r"a key of more than (\d+) characters"),
    ("docs/errors.md", "MAX_METADATA_VALUE_LENGTH", r"a value of more than (\d+) characters"),
    ("docs/errors.md", "MAX_UPDATE_BYTES", r"an update over ([\d,]+) bytes"),
    ("docs/errors.md", "MAX_CREATE_BYTES", r"a create over ([\d,]+),"),
    ("docs/errors.md", "MAX_ITEMS_PER_CALL", r"more than (\d+) items"),
    ("docs/errors.md", "MAX_ERROR_DETAILS", r"lists all of them, up to (\d+)"),
    ("docs/errors.md", "MAX_JSON_DEPTH", r"nested over (\d+) deep"),
    ("docs/deployment.md", "MAX_ISOLATION_KEY_LENGTH", r"and the app takes (\d+)\)"),
    ("docs/reliability.md", "MAX_UPDATE_BYTES", r"A body has at most (\d+ KiB)"),
    ("docs/reliability.md", "MAX_JSON_DEPTH", r"nests at\s+most (\d+) deep"),
    ("docs/reliability.md", "DEFAULT_TIMEOUT_SECONDS", r"the default budget of (\d+) s"),
    ("openapi.json", "MAX_METADATA_PAIRS", r"Up to (\d+) key-value pairs"),
    ("openapi.json", "MAX_METADATA_PAIRS", r'"maxProperties": (\d+)'),
    ("openapi.json", "MAX_METADATA_KEY_LENGTH", r"A key has at most (\d+) characters"),
    ("openapi.json", "MAX_METADATA_VALUE_LENGTH", r"a value at most (\d+), counted"),
    ("openapi.json", "MAX_UPDATE_BYTES", r"The body has more than (\d+) bytes\."),
    ("openapi.json", "MAX_CREATE_BYTES", r"The body has more than (\d+) bytes, or"),
    ("openapi.json", "MAX_ITEMS_PER_CALL", r"array with maximum length (\d+)"),
    ("openapi.json", "MAX_ISOLATION_KEY_LENGTH", r"expected 1 to (\d+) printable ASCII"),
    (
        "openapi.json",
        "MAX_CLIENT_REQUEST_ID_LENGTH",
        r"printable ASCII of at most (\d+) characters",
    ),
]


@pytest.mark.parametrize(
    ("page", "name", "pattern"), TOLD, ids=[f"{page}-{name}" for page, name, _ in TOLD]
)
def test_a_page_tells_the_limit_that_holds(page: str, name: str, pattern: str) -> None:
    numbers = re.findall(pattern, (ROOT / page).read_text("utf-8"))

    assert numbers, f"{page} no longer tells {name} in the words {pattern!r}"
    limit = 53 if name == "MAX_SAFE_INTEGER" else LIMITS[name]  # told as a power of two
    assert {in_units(number) for number in numbers} == {limit}, f"{page}: {name}"


def in_units(number: str) -> int:
    """A number as a page writes it: with commas, or in KiB."""
    digits, _, unit = number.replace(",", "").partition(" ")
    units = {"": 1, "KiB": 1024, "MiB": 1024**2, "MB": 1_000_000, "hours": 3600}
    return int(digits) * units[unit]


def test_every_limit_is_told_somewhere() -> None:
    assert {name for _, name, _ in TOLD} == set(LIMITS) - UNTOLD


def test_the_contracts_pattern_of_an_id_has_the_limit_that_holds() -> None:
    for page in ("docs/contract.md", "openapi.json"):
        prefix, longest = re.findall(
            r"\^(\w+)\[A-Za-z0-9\]\{1,(\d+)\}\$", (ROOT / page).read_text("utf-8")
        )[0]

        assert len(prefix) + int(longest) == limits.MAX_CONVERSATION_ID_LENGTH, page


MODULES = [
    path
    for path in sorted((ROOT / "conversations").rglob("*.py"))
    if path != ROOT / "conversations/limits.py"
]

# Smaller numbers are in use for much else. Those show themselves where they bound something.
DISTINCTIVE = 50
# "None", "one" and "more than one" are no limits.
COUNTED = {0, 1, 2}
BOUNDS = re.compile(r"(max|min)_\w+|le|lt|ge|gt|limit")
# A pattern with an upper end: `{1,64}`. One without, `{16}`, is a format.
UP_TO = re.compile(r"\{\d*,(\d+)\}")
# Patterns that bound nothing of a request.
PATTERNS = {r"\d{1,15}(?:\.\d+)?"}  # the digits of a number in an answer of Cosmos DB


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_has_a_limit_of_its_own(module: Path) -> None:
    found = [
        f"{module.relative_to(ROOT)}:{line}: {what}"
        for line, what in limits_in(ast.parse(module.read_text("utf-8")))
    ]

    assert not found, "belongs into limits.py: " + "; ".join(found)


def limits_in(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The line of every number that is a limit by its value or by what is done with it.

    By its value: a limit of `limits.py`, written once more. By use: something is compared with it
    (a `status` aside, which is HTTP's), capped by an argument such as `max_length`, or matched by
    a pattern with an upper end.
    """
    values = {value for value in LIMITS.values() if value >= DISTINCTIVE}
    statuses: set[ast.AST] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Compare() if "status" in ast.unparse(node):
                statuses |= set(ast.walk(node))
            case ast.Compare(left=left, comparators=others):
                for side in (left, *others):
                    if is_number(side):
                        yield node.lineno, ast.unparse(node)
            case ast.Constant(value=int(number)) if number in values and node not in statuses:
                yield node.lineno, f"{number}, which is a limit"
            case ast.keyword(arg=str(name), value=value) if BOUNDS.fullmatch(name):
                if is_number(value):
                    yield value.lineno, f"{name}={ast.unparse(value)}"
            case ast.Constant(value=str(text)) if UP_TO.search(text) and text not in PATTERNS:
                yield node.lineno, f"the pattern {text!r}"


def is_number(node: ast.expr) -> bool:
    """Whether it is a number written in place, and more than a small count."""
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and node.value not in COUNTED
    )


@pytest.mark.parametrize(
    "code",
    [
        f"ROOM = {limits.MAX_UPDATE_BYTES}",
        f"if status == 413: room = {limits.MAX_ISOLATION_KEY_LENGTH}",
        "if len(pairs) > 16: pass",
        "if 16 < len(pairs) <= most: pass",
        "Field(max_length=64)",
        "Field(le=30.5)",
        "page(limit=20)",
        "re.compile('[a-z]{1,9}')",
        "re.compile('[a-z]{,9}')",
    ],
)
def test_a_limit_of_its_own_would_be_found(code: str) -> None:
    assert list(limits_in(ast.parse(code)))


@pytest.mark.parametrize(
    "code",
    [
        "if len(errors) > 1: pass",
        "if status >= 500: pass",
        f"if 200 <= response.status_code < {limits.MAX_ISOLATION_KEY_LENGTH}: pass",
        "Field(max_length=0)",
        "Field(max_length=MAX_KEY_LENGTH)",
        "re.compile('[0-9a-f]{32}')",
        "re.compile(rf'[a-z]{{1,{LONGEST}}}')",
        "WAIT_SECONDS = 0.1",
    ],
)
def test_what_is_no_limit_is_not(code: str) -> None:
    assert not list(limits_in(ast.parse(code)))
