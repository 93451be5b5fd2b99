"""What must hold of every call, whatever happened: read from what the database committed.

The rules are docs/contract.md#unknown-outcome; the exceptions are named where they are made.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tests.proof.calls import Call, Try
from tests.proof.network import Commit

BUDGET = 5.0
# 503: an item was in the way of its namesake, and gone when that was looked at.
STATUSES_IN_PEACE = {200, 400, 404, 412, 503}
STATUSES = {200, 400, 404, 412, 413, 429, 500, 503, 504}
ERROR = {"message", "type", "param", "code"}


def judge(calls: Sequence[Call], commits: Sequence[Commit], expired: Sequence[int]) -> None:
    """Hold every call against all that was ever committed, late requests included.

    `expired`: how many commits there were when an idempotency record of the day before expired.
    """
    _judge_order(commits)
    _judge_sweeps(commits)
    for call in calls:
        mine = [commit for commit in commits if _is_of(call, commit)]
        for again in pairwise(mine):
            assert _may_be_twice(call, *again, commits), ("done twice", call, again)
        for attempt in call.tries:
            # But for a copy that the network delivers after the key was looked at, when what it has
            # met, a record of the day before, has expired.
            key_expired = call.key and any(at >= attempt.begun for at in expired)
            own = [
                commit
                for commit in mine
                if commit.origin is attempt
                and not (key_expired and commit.late and _told_by_record(attempt, commit))
            ]
            _judge_answer(attempt)
            _judge_persistence(attempt, commits, expired)
            if attempt.status == 200:
                _judge_success(attempt, own, commits)
            else:
                _judge_refusal(attempt, own, commits)


def _told_by_record(attempt: Try, commit: Commit) -> bool:
    """Whether the answer is not about this commit, but about what the key has met before it."""
    return attempt.status != 200 or attempt.replayed or commit.number >= attempt.ended


def _is_of(call: Call, commit: Commit) -> bool:
    return (
        isinstance(commit.origin, Try) and commit.origin.call is call and call.is_its_write(commit)
    )


def _judge_answer(attempt: Try) -> None:
    """The form of an answer, and what it tells a client about trying again."""
    headers, call = attempt.headers, attempt.call
    assert attempt.unforeseen is None, (repr(attempt.unforeseen), call)
    assert attempt.status in (STATUSES_IN_PEACE if call.calm else STATUSES), attempt
    assert not (call.calm and attempt.status == 503 and attempt.seconds > 1), ("contention", call)
    assert attempt.seconds <= BUDGET + 0.001, ("over the budget", call)
    if attempt.status == 200:
        return
    assert attempt.json["error"].keys() >= ERROR, attempt.json
    if attempt.status in {500, 504} and call.must_not_be_repeated:
        assert headers.get("x-should-retry") == "false", call
        assert "retry-after" not in headers, call
    elif attempt.status in {429, 503, 504}:
        assert "retry-after" in headers, call
        assert "x-should-retry" not in headers, call
    if attempt.status == 429:
        assert "retry-after-ms" in headers, call


def _judge_persistence(attempt: Try, commits: Sequence[Commit], expired: Sequence[int]) -> None:
    """One write of unknown outcome is mended, whatever others do.

    But where a condition does not hold, or an id was used by others: the write may have been why.
    Nor where the key expired meanwhile, or where most of the budget was spent and others were in
    the way of the rest.
    """
    call = attempt.call
    if call.key and any(attempt.begun <= at <= attempt.ended for at in expired):
        return
    if attempt.befallen != ["a write, outcome unknown"]:
        return
    others = [
        commit for commit in commits[attempt.begun : attempt.ended] if commit.origin is not attempt
    ]
    if call.if_match not in {None, "*"} and not all(
        f'"{version}"' in str(call.if_match) for version in _versions(call, commits, attempt)
    ):
        return
    if call.kind == "append":
        ids = {item.get("id") for item in call.body["items"]}
        used = [
            document["item"]["id"]
            for commit in commits[: attempt.ended]
            if commit.origin is not attempt
            for document in commit.created("item")
        ]
        if ids.intersection(used):
            return
    if call.kind == "delete_item" and any(_creates_item(commit, call) for commit in others):
        return
    if others and attempt.seconds > 0.7 * BUDGET:
        return
    assert attempt.status < 429, ("gave up at once", call)


def _judge_success(attempt: Try, own: Sequence[Commit], commits: Sequence[Commit]) -> None:
    """A 200 was done, and says what was done."""
    call, answer = attempt.call, attempt.json
    if call.kind == "delete_item":
        there = [number for number, commit in enumerate(commits) if _creates_item(commit, call)]
        gone = [number for number, commit in enumerate(commits) if _deletes_item(commit, call)]
        before = [number for number in there if number < attempt.begun]
        assert not before or any(before[-1] < number < attempt.ended for number in gone), call
        return
    if attempt.replayed:
        made = [
            commit
            for commit in commits[: attempt.ended]
            if isinstance(commit.origin, Try)
            and commit.origin is not attempt
            and commit.origin.call.asks_the_same(call)
            and call.is_its_write(commit)
        ]
        assert not own, ("a replay wrote", call)
        assert any(_ids(call, answer) == _made(call, commit) for commit in made), call
        return
    done = [commit for commit in own if commit.number < attempt.ended]
    assert done, ("answered 200, not done", call)
    if call.is_create:
        assert _ids(call, answer) == _made(call, done[-1]), call
    elif call.if_match not in {None, "*"}:
        for commit in done:
            version = commit.before[str(call.conversation_id)]["version"]
            assert f'"{version}"' in str(call.if_match), ("done against its condition", call)
    if call.kind in {"update", "merge"}:
        versions = {f'"{commit.patched("version")}"': commit.patched("metadata") for commit in done}
        assert versions.get(attempt.headers["etag"]) == answer["metadata"], call
    if call.kind == "update":
        assert answer["metadata"] == call.body["metadata"], call
    if call.kind == "merge":
        for commit in done:
            assert commit.patched("metadata") == _merged(call, commit), call
        assert len(versions) == len(done), ("one version on two bases", call)


def _judge_refusal(attempt: Try, own: Sequence[Commit], commits: Sequence[Commit]) -> None:
    """A 4xx says the truth; to who must not repeat, it and 429 and 503 say: never done."""
    call, status = attempt.call, attempt.status
    seen = commits[: attempt.ended]
    gone = [commit for commit in seen if _deletes_conversation(commit, call, attempt)]
    if status in {400, 412, 413} or (call.must_not_be_repeated and status in {429, 503}):
        assert not own, ("answered that it was not done, but it was", call)
    if status == 404 and call.kind == "delete_item" and _is_about_item(attempt):
        created = [commit for commit in seen[: attempt.begun] if _creates_item(commit, call)]
        deleted = [commit for commit in seen if _deletes_item(commit, call)]
        assert len(deleted) >= len(created), call
    elif status == 404 and _is_about_item(attempt):
        assert call.key, call  # the replay of an append whose items are gone
        assert any(commit.of("Delete") for commit in seen), call
    elif status == 404:
        assert gone, ("it is there, but was answered 404", call)
        if call.kind == "delete":
            own = [commit for commit in own if commit.number < attempt.ended]
        if own and (call.must_not_be_repeated or call.kind == "delete"):
            # Done, and then somebody else deleted the conversation.
            assert gone[-1].number > own[-1].number, ("done, but answered 404", call)
            assert gone[-1].origin is not attempt, call
    if status == 412:
        versions = _versions(call, commits, attempt)
        assert call.if_match is not None, call
        assert any(f'"{version}"' not in call.if_match for version in versions), call
    code = status == 400 and attempt.json["error"]["code"]
    if code == "item_already_in_conversation":
        ids = {item.get("id") for item in call.body["items"]}
        assert any(
            created["item"]["id"] in ids and commit.origin is not attempt
            for commit in seen
            for created in commit.created("item")
        ), call
    elif code == "idempotency_key_reused":
        others = [commit.origin.call for commit in seen if isinstance(commit.origin, Try)]
        assert any(other.key == call.key and other.body != call.body for other in others), call
    elif code:
        assert code == "storage_limit_exceeded", call


def _may_be_twice(call: Call, first: Commit, second: Commit, commits: Sequence[Commit]) -> bool:
    """What section 7 of the design accepts; everything else is done once at most."""
    between = commits[first.number + 1 : second.number]
    if first.origin is not second.origin and not (call.is_create or call.must_not_be_repeated):
        return True  # the client did not get the answer, and asked again
    match call.kind:
        case "update":
            # Sent again, or late, it lands after somebody else's: the last write wins.
            return call.if_match in {None, "*"}
        case "merge":
            # Somebody else wrote upon it: it is merged into that.
            return call.if_match in {None, "*"} and any(one.patched("version") for one in between)
        case "delete_item":
            return True  # of another item of this id, then
        case "append":
            # Deleted in between, its items cannot be told from items that were never stored.
            ids = [document["id"] for document in first.created("item")]
            return call.key is None and all(any(one.deletes(id_) for one in between) for id_ in ids)
        case "create":
            # Of two copies, of which the network delivered one late, one came after somebody
            # deleted the conversation.
            (made,) = first.created("conversation")
            again = second.created("conversation")[0]["id"] == made["id"]
            return (
                again
                and (first.late or second.late)
                and any(one.deletes(made["id"]) for one in between)
            )
    return False


def _judge_order(commits: Sequence[Commit]) -> None:
    """All items of a call or none, adjacent, in order, after everything that was there before."""
    last: dict[str, int] = defaultdict(int)
    for commit in commits:
        for gone in commit.of("Delete"):
            last.pop(gone["id"], None)
        items = commit.created("item")
        if not items:
            continue
        sent = commit.origin.call.body["items"]
        assert [one["item"]["content"][0]["text"] for one in items] == [
            one["content"] for one in sent
        ], commit
        _, conversation_id, _ = items[0]["sort_key"].split("/")
        positions = [int(one["sort_key"].rpartition("/")[2], 16) for one in items]
        assert positions == list(range(positions[0], positions[0] + len(items))), commit
        assert positions[0] > last[conversation_id], ("out of order", commit)
        last[conversation_id] = positions[-1]


def _judge_sweeps(commits: Sequence[Commit]) -> None:
    """Of a conversation that is there, nothing is removed but what its user names.

    But for one of which the network delivered the create again after it was deleted.
    """
    there: set[str] = set()
    for commit in commits:
        if not commit.late or not any(
            one.deletes(document["id"])
            for document in commit.created("conversation")
            for one in commits[: commit.number]
        ):
            there |= {document["id"] for document in commit.created("conversation")}
        # A full partition takes no marker: a delete makes room for it first.
        call = commit.origin.call if isinstance(commit.origin, Try) else None
        named = call and call.kind in {"delete", "delete_item"} and call.conversation_id
        for one in commit.of("Delete"):
            there.discard(one["id"])
            owner, _, _ = one["id"].partition(".")
            assert owner == named or owner not in there, ("removed", commit)


def _made(call: Call, commit: Commit) -> list[str]:
    if call.kind == "create":
        return [document["id"] for document in commit.created("conversation")]
    return [document["item"]["id"] for document in commit.created("item")]


def _ids(call: Call, answer: dict[str, Any]) -> list[str]:
    return [answer["id"]] if call.kind == "create" else [one["id"] for one in answer["data"]]


def _merged(call: Call, commit: Commit) -> dict[str, str]:
    (before,) = commit.before.values()
    result = {**before["metadata"], **call.body["metadata"]}
    return {name: value for name, value in result.items() if value is not None}


def _versions(call: Call, commits: Sequence[Commit], attempt: Try) -> set[str]:
    """The versions that the conversation had while a request was under way, but for its own."""
    versions = []
    for commit in commits[: attempt.ended]:
        versions += [
            (commit, document["version"])
            for document in commit.created("conversation")
            if document["id"] == call.conversation_id
        ]
        patched = commit.patched("version")
        if patched and commit.of("Patch")[0]["id"] == call.conversation_id:
            versions.append((commit, patched))
    before = [one for one in versions if one[0].number < attempt.begun][-1:]
    during = [one for one in versions if one[0].number >= attempt.begun]
    return {version for commit, version in before + during if commit.origin is not attempt}


def _is_about_item(attempt: Try) -> bool:
    return str(attempt.json["error"]["message"]).startswith("Item with id")


def _item_document(call: Call) -> str:
    return f"{call.conversation_id}.{call.item_id}"


def _creates_item(commit: Commit, call: Call) -> bool:
    return any(document["id"] == _item_document(call) for document in commit.created("item"))


def _deletes_item(commit: Commit, call: Call) -> bool:
    return commit.deletes(_item_document(call))


def _deletes_conversation(commit: Commit, call: Call, attempt: Try) -> bool:
    """The conversation that a call is about, or the one that its key has made."""
    if call.conversation_id:
        return commit.deletes(call.conversation_id)
    message = str(attempt.json["error"]["message"])
    return any(f"'{one['id']}'" in message for one in commit.of("Delete"))
