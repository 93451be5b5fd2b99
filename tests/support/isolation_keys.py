"""Isolation keys that are easily taken for each other."""

from tests.support.limits import ISOLATION_KEY_LENGTH

LONGEST = "a" * ISOLATION_KEY_LENGTH

# Each is a user of its own, although many systems would merge some of them.
KEYS = (
    None,
    *("null", "None", "undefined", "0", "false", "[]", "{}", '""', '"', "\\", "\\u0061", "a'b"),
    *("alice", "Alice", "ALICE", "al%69ce", "alice%20", "alice%00", "alice/", "alice;", "a lice"),
    *("../alice", "alice#", "alice?x", "%61lice", "alice@example.com", "alice@EXAMPLE.com"),
    *(LONGEST, LONGEST[1:]),
    *(f"{LONGEST[:place]}b{LONGEST[place + 1 :]}" for place in (100, 101)),
)
