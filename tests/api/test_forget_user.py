"""The right to be forgotten: everything of one isolation key, with the openai package alone."""

import contextlib
import threading
from typing import Any

import openai

from tests.support.openai_clients import client_for
from tests.support.rest import Rest, message


# The recipe, as the documentation has it.
def forget(client: openai.OpenAI) -> None:
    """Delete all conversations of the user whose isolation key the client sends."""
    while page := client.get("/conversations?limit=100", cast_to=dict[str, Any])["data"]:
        for conversation in page:
            with contextlib.suppress(openai.NotFoundError):  # somebody was faster
                client.conversations.delete(conversation["id"])


def test_everything_of_a_user_is_deleted_and_nothing_of_another(rest: Rest) -> None:
    other = rest.as_user(f"{rest.isolation_key}-other")
    kept = other.create(items=[message()])["id"]
    ids = [rest.create(items=[message()])["id"] for _ in range(103)]

    with client_for(rest.base_url, rest.isolation_key) as client:
        forget(client)

    assert rest.list_conversations().ids == []
    assert {rest.list_items(id_).status for id_ in ids} == {404}
    assert other.list_conversations().ids == [kept]
    assert len(other.all_items(kept)) == 1


def test_it_is_complete_although_the_user_writes_meanwhile(rest: Rest) -> None:
    started, stop = threading.Event(), threading.Event()
    written: list[str] = []

    def write() -> None:
        while not stop.is_set():
            id_ = rest.create(items=[message()])["id"]
            rest.append(id_, [message()])
            rest.update(id_, {"metadata": {"a": "1"}})
            written.append(id_)
            started.set()

    for _ in range(30):
        rest.create(items=[message()])
    writer = threading.Thread(target=write)
    writer.start()
    assert started.wait(30)
    before = {*written, *rest.list_conversations("limit=100").ids}
    threading.Timer(0.2, stop.set).start()
    with client_for(rest.base_url, rest.isolation_key) as client:
        forget(client)
        assert before.isdisjoint(rest.list_conversations("limit=100").ids)
        writer.join()
        # What was written after the last look is left to the next; the user writes no more.
        forget(client)

    assert rest.list_conversations().ids == []
    assert {rest.retrieve(id_).status for id_ in written} == {404}
    assert {rest.list_items(id_).status for id_ in written} == {404}
