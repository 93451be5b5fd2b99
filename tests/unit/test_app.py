"""The app is put together from what it is given, once, and a failed start is tried again.

No request here reaches a database: the ill-formed id is refused before.
"""

import asyncio
import gc
import logging
import threading
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pytest

from conversations.app import App
from tests.support.invocation import call, http_request, invoke, triggers
from tests.support.rest import Answer

# Nobody listens on port 1: whatever is opened behind a request is refused at once.
GOOD = {"COSMOS_ENDPOINT": "http://127.0.0.1:1", "COSMOS_KEY": "c2VjcmV0"}

ILL_FORMED = {"conversation_id": "ill-formed"}


class Environment(dict[str, str]):
    """An environment that counts how often it is read, and can make its reader wait."""

    def __init__(self, values: Mapping[str, str]) -> None:
        super().__init__(values)
        self.readings = 0
        self.is_read = threading.Event()
        self.may_be_read = threading.Event()
        self.may_be_read.set()

    def get(self, name: str, default: Any = None) -> Any:
        """Give a variable, once it may be read."""
        self.readings += 1
        self.is_read.set()
        assert self.may_be_read.wait(10)
        return super().get(name, default)


def retriever(app: App) -> Callable[[], Coroutine[Any, Any, Answer]]:
    """Send the app a retrieve that never reaches the database."""
    trigger = triggers(app.functions)["retrieve_conversation"]
    return lambda: invoke(trigger, http_request(parameters=ILL_FORMED))


def assert_served(answer: Answer) -> None:
    """The request was looked at: its id is what is wrong."""
    assert answer.status == 400
    assert answer.error["param"] == "conversation_id"


def test_a_bad_setting_is_named_in_the_log_and_not_in_the_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    functions = triggers(App({**GOOD, "COSMOS_TIMEOUT_SECONDS": "never-ever"}).functions)
    del functions["zz_unknown_url"]

    for operation, trigger in functions.items():
        caplog.clear()
        answer = call(trigger, http_request(parameters=ILL_FORMED))

        assert answer.status == 500, operation
        assert answer.error["code"] == "internal_error"
        assert b"COSMOS" not in answer.body
        assert 'reason="Bad settings: COSMOS_TIMEOUT_SECONDS: ' in caplog.text
        assert "never-ever" not in caplog.text


def test_an_unknown_url_needs_no_settings() -> None:
    request = http_request(url="http://localhost/x")

    assert call(triggers(App({}).functions)["zz_unknown_url"], request).status == 404


def test_the_settings_are_those_that_the_app_was_given() -> None:
    functions = triggers(App({**GOOD, "REQUIRE_USER_ISOLATION_KEY": "true"}).functions)
    del functions["zz_unknown_url"]

    for operation, trigger in functions.items():
        answer = call(trigger, http_request(parameters=ILL_FORMED))

        assert answer.status == 400, operation
        assert answer.error["code"] == "missing_required_parameter"
        assert answer.error["param"] == "x-ms-user-isolation-key"


def test_many_requests_load_the_parts_once() -> None:
    environment = Environment(GOOD)

    async def many() -> list[Answer]:
        retrieve = retriever(App(environment))
        together = await asyncio.gather(*(retrieve() for _ in range(10)))
        return [*together, *[await retrieve() for _ in range(3)]]

    for answer in asyncio.run(many()):
        assert_served(answer)
    assert environment.readings == readings_of_one_loading() > 0


def test_a_failed_loading_is_tried_again() -> None:
    environment = Environment({})

    async def mended() -> tuple[Answer, Answer]:
        retrieve = retriever(App(environment))
        failed = await retrieve()
        environment.update(GOOD)
        return failed, await retrieve()

    failed, served = asyncio.run(mended())

    assert failed.status == 500
    assert_served(served)


def test_a_request_that_is_cancelled_leaves_the_loading_to_the_others() -> None:
    environment = Environment(GOOD)
    environment.may_be_read.clear()

    async def cancelled() -> tuple[Answer, Answer]:
        retrieve = retriever(App(environment))
        first = asyncio.create_task(retrieve())
        await asyncio.to_thread(environment.is_read.wait, 10)
        second = asyncio.create_task(retrieve())
        await asyncio.sleep(0)  # it has joined
        first.cancel()
        left = await first
        assert not second.done()
        assert environment.readings == 1
        environment.may_be_read.set()
        return left, await second

    left, served = asyncio.run(cancelled())

    assert left.status == 500
    assert_served(served)


def test_warming_up_loads_the_parts_before_the_first_request() -> None:
    environment = Environment(GOOD)

    async def warm() -> Answer:
        app = App(environment)
        retrieve = retriever(app)
        app.warm_up()
        assert environment.readings == 0  # it does not wait
        await asyncio.to_thread(environment.is_read.wait, 10)
        return await retrieve()

    assert_served(asyncio.run(warm()))
    assert environment.readings == readings_of_one_loading()


def readings_of_one_loading() -> int:
    environment = Environment(GOOD)
    assert_served(asyncio.run(retriever(App(environment))()))
    return environment.readings


def test_warming_up_does_nothing_where_no_loop_runs() -> None:
    environment = Environment(GOOD)

    App(environment).warm_up()

    assert environment.readings == 0


@pytest.mark.parametrize("settings", [{}, GOOD], ids=["a bad setting", "no database"])
def test_a_warm_up_that_fails_is_reported_by_the_first_request_alone(
    caplog: pytest.LogCaptureFixture, settings: dict[str, str]
) -> None:
    async def fail() -> None:
        App(settings).warm_up()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)

    with caplog.at_level(logging.WARNING):
        asyncio.run(fail())
        gc.collect()  # asyncio reports what nobody has seen when it is collected

    assert caplog.messages == []


def test_a_process_that_ends_while_it_loads_reports_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def end() -> None:
        App(GOOD).warm_up()
        await asyncio.sleep(0)  # the loading has begun; the end of the loop cancels it

    with caplog.at_level(logging.WARNING):
        asyncio.run(end())

    assert caplog.messages == []
