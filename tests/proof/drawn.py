"""The calls of a schedule, drawn: of every kind, with and without keys, conditions and own ids."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from tests.proof import calls as api
from tests.proof.calls import Call
from tests.proof.network import StandIn

Draw = Callable[[st.SearchStrategy[Any]], Any]

KINDS = ("append", "create", "update", "merge", "delete", "delete_item")
# The same, with what may guard each.
VARIANTS = (
    *KINDS,
    *("append, key", "create, key"),
    *("update, condition", "merge, condition", "delete, condition"),
)
# What gets in the way of each.
AGAINST = {
    "append": ("append", "delete_item", "delete", "update"),
    "create": ("delete", "create", "append"),
    "update": ("update", "merge", "delete", "append"),
    "merge": ("update", "merge", "delete", "append"),
    "delete": ("update", "append", "delete"),
    "delete_item": ("delete_item", "append", "delete"),
}
# Of whom many may be at it at once, each in the next one's way; and what they do to each other.
CROWDED = ("append", "merge", "merge, condition")
IN_A_CROWD = {"append": "append", "merge": "update"}
KEYS = (None, None, "key-1", "key-2")
IF_MATCH = (None, None, None, "now", "now", "now", "both", "*", "*", "stale", '"not-ours"')
OWN_IDS = ("msg_0", "msg_1", "msg_2")
SKEWS = (0, -50_000, 50_000)  # microseconds that a host's clock is off


def new_call(
    draw: Draw,
    stand_in: StandIn,
    serial: str,
    against: Call | None = None,
    variants: Sequence[str] = (),
) -> Call:
    """A call about the first conversation or the newest; `serial` tells its texts from others'.

    `against`: whose way it is to get into; then it is about the same conversation. `variants`:
    one of these, if not any.
    """
    kinds = variants or (AGAINST[against.kind] if against else KINDS)
    kind, _, guard = draw(st.sampled_from(kinds)).partition(", ")
    guarded = bool(guard) if variants else None
    made = [one["id"] for commit in stand_in.commits for one in commit.created("conversation")]
    if against:
        target = against.conversation_id or made[-1]
    else:
        target = made[draw(st.sampled_from((0, -1)))]
    if kind in {"append", "create"}:
        call = _create(draw, kind, target, serial, guarded)
    elif kind == "delete_item":
        call = api.delete_item(target, _item_id(draw, stand_in, target))
    else:
        headers = {}
        # A condition would only keep others from getting into the way.
        if not against and (if_match := _if_match(draw, stand_in, target, guarded)):
            headers["if_match"] = if_match
        if kind == "update":
            call = api.update(target, {"a": serial}, **headers)
        elif kind == "merge":
            call = api.merge(target, {serial: serial, "b": None}, **headers)
        else:
            call = api.delete(target, **headers)
    call.skew = draw(st.sampled_from(SKEWS))
    return call


def _create(draw: Draw, kind: str, target: str, serial: str, guarded: bool | None) -> Call:
    headers = {}
    if key := draw(_guard(KEYS, guarded)):
        headers["key"] = key
    # What a key repeats is the same; everything else is told apart.
    text = draw(st.sampled_from(("x", "y"))) if key else serial
    count = draw(st.integers(0 if kind == "create" else 1, 3))
    own = OWN_IDS if draw(st.booleans()) else (None,) * 3
    items = [api.message(f"{text}.{n}", own[n]) for n in range(count)]
    if kind == "append":
        return api.append(target, items, **headers)
    return api.create(items, {"a": text}, **headers)


def _item_id(draw: Draw, stand_in: StandIn, conversation_id: str) -> str:
    there = [
        document["item"]["id"]
        for commit in stand_in.commits
        for document in commit.created("item")
        if document["id"].startswith(f"{conversation_id}.")
    ]
    ids = [OWN_IDS[0], *there[:1], *there[-1:]]
    return str(ids[draw(st.integers(0, len(ids) - 1))])


def _guard(guards: Sequence[str | None], guarded: bool | None) -> st.SearchStrategy[str | None]:
    """One of these; `guarded` says whether it may, or must, be None."""
    return st.sampled_from([one for one in guards if guarded in {None, one is not None}])


def _if_match(
    draw: Draw, stand_in: StandIn, conversation_id: str, guarded: bool | None
) -> str | None:
    document = stand_in.document(api.PARTITION, conversation_id)
    now, stale = f'"{document["version"] if document else "0" * 16}"', f'"{"f" * 16}"'
    drawn: str | None = draw(_guard(IF_MATCH, guarded))
    return {"now": now, "stale": stale, "both": f"{stale}, {now}"}.get(drawn or "", drawn)
