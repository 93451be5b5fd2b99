"""The local host runs timer functions: by their schedules, and when asked to."""

import asyncio
import logging
import re
import time

import azure.functions as func
import pytest

from local.functions import HostError, index
from local.functions_host import FunctionsHost
from tests.support.local_host import HOST_JSON, serving
from tests.support.rest import JSON, Answer, Rest
from tests.support.waiting import wait_until

EVERY_SECOND = "* * * * * *"
NEVER_SOON = "0 0 0 29 2 *"


def run_timer(host: Rest, name: str) -> Answer:
    return host.send("POST", f"/admin/functions/{name}", b'{"input": ""}', JSON)


def test_a_timer_runs_whenever_it_is_due() -> None:
    app = func.FunctionApp()
    requests: list[func.TimerRequest] = []

    @app.timer_trigger(arg_name="timer", schedule=EVERY_SECOND, use_monitor=False)
    async def tick(timer: func.TimerRequest) -> None:
        requests.append(timer)

    with serving(app):
        assert requests == []
        wait_until(lambda: len(requests) >= 2)

    assert all(isinstance(request, func.TimerRequest) for request in requests)
    assert not any(request.past_due for request in requests)


def test_a_timers_context_has_an_invocation_id_and_a_trace_id() -> None:
    app = func.FunctionApp()
    contexts: list[func.Context] = []

    @app.timer_trigger(arg_name="timer", schedule=NEVER_SOON)
    async def tick(timer: func.TimerRequest, context: func.Context) -> None:
        contexts.append(context)

    with serving(app) as host:
        for _ in range(2):
            run_timer(host, "tick")
        wait_until(lambda: len(contexts) == 2)

    assert contexts[0].function_name == "tick"
    assert contexts[0].invocation_id != contexts[1].invocation_id
    trace_parents = {context.trace_context.trace_parent for context in contexts}
    assert len(trace_parents) == 2


def test_a_schedule_runs_one_invocation_at_a_time() -> None:
    app = func.FunctionApp()
    events: list[str] = []

    @app.timer_trigger(arg_name="timer", schedule=EVERY_SECOND)
    async def slow(timer: func.TimerRequest) -> None:
        events.append("begin")
        await asyncio.sleep(1.2)
        events.append("end")

    with serving(app):
        wait_until(lambda: len(events) >= 4)

    assert events[:4] == ["begin", "end", "begin", "end"]


def test_what_came_due_during_a_run_is_made_up_for_once() -> None:
    app = func.FunctionApp()
    starts: list[int] = []

    @app.timer_trigger(arg_name="timer", schedule=EVERY_SECOND)
    async def slow_at_first(timer: func.TimerRequest) -> None:
        starts.append(int(time.time()))
        if len(starts) == 1:
            await asyncio.sleep(2.5)

    with serving(app):
        wait_until(lambda: len(starts) >= 4)

    assert len(set(starts[:4])) == 4
    assert starts[1] - starts[0] >= 2


def test_a_timer_that_raises_is_a_line_in_the_log_and_runs_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    app = func.FunctionApp()
    runs: list[int] = []

    @app.timer_trigger(arg_name="timer", schedule=EVERY_SECOND)
    async def fragile(timer: func.TimerRequest) -> None:
        runs.append(len(runs))
        if len(runs) == 1:
            raise ValueError("the first time")

    def lines() -> list[logging.LogRecord]:
        return [record for record in caplog.records if record.name == "local.timers"]

    with serving(app):
        wait_until(lambda: len(lines()) >= 2)

    failed, succeeded = lines()[:2]
    assert failed.levelno == logging.ERROR
    assert failed.getMessage().startswith("Executed 'Functions.fragile' (Failed, Id=")
    assert failed.exc_info
    assert succeeded.levelno == logging.INFO
    assert succeeded.getMessage().startswith("Executed 'Functions.fragile' (Succeeded, Id=")


def test_run_on_startup_runs_it_at_the_start() -> None:
    app = func.FunctionApp()
    runs: list[int] = []

    @app.timer_trigger(arg_name="timer", schedule=NEVER_SOON, run_on_startup=True)
    async def eager(timer: func.TimerRequest) -> None:
        runs.append(1)

    with serving(app):
        wait_until(lambda: runs)

    assert runs == [1]


def test_a_disabled_timer_runs_only_when_asked_to() -> None:
    app = func.FunctionApp()
    runs: list[str] = []

    @app.timer_trigger(arg_name="timer", schedule=EVERY_SECOND)
    async def off(timer: func.TimerRequest) -> None:
        runs.append("off")

    @app.timer_trigger(arg_name="timer", schedule=EVERY_SECOND)
    async def on(timer: func.TimerRequest) -> None:
        runs.append("on")

    with serving(app, **{"AzureWebJobs.off.Disabled": "true"}) as host:
        wait_until(lambda: len(runs) >= 2)
        assert set(runs) == {"on"}

        assert run_timer(host, "off").status == 202
        wait_until(lambda: "off" in runs)


def line_for_the_user(environment: dict[str, str]) -> str:
    """What the host says at its start of a timer that is named `later`."""
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule=NEVER_SOON)
    async def later(timer: func.TimerRequest) -> None: ...

    async def start() -> list[str]:
        host = FunctionsHost(index(app, HOST_JSON), HOST_JSON)
        lines = host.start_timers(environment)
        await host.stop_timers()
        return lines

    (line,) = asyncio.run(start())
    return line


@pytest.mark.parametrize("value", ["true", "True", "1"])
@pytest.mark.parametrize("name", ["AzureWebJobs.later.Disabled", "AzureWebJobs_later_Disabled"])
def test_the_setting_that_disables_a_timer_is_named(name: str, value: str) -> None:
    assert line_for_the_user({name: value}) == f"Timer later: disabled by {name}"


@pytest.mark.parametrize("value", ["false", "0", "", "yes"])
def test_the_next_time_of_a_timer_is_named(value: str) -> None:
    line = line_for_the_user({"AzureWebJobs.later.Disabled": value})

    assert re.fullmatch(r"Timer later: runs next at 20\d\d-02-29 00:00:00 UTC", line)


def test_a_timer_that_is_asked_for_runs_at_once_and_is_not_waited_for() -> None:
    app = func.FunctionApp()
    started: list[int] = []

    @app.timer_trigger(arg_name="timer", schedule=NEVER_SOON)
    async def endless(timer: func.TimerRequest) -> None:
        started.append(1)
        await asyncio.Event().wait()

    with serving(app) as host:
        answers = [run_timer(host, name) for name in ("endless", "ENDLESS/")]
        wait_until(lambda: len(started) == 2)

    assert [(answer.status, answer.body) for answer in answers] == [(202, b"")] * 2
    assert answers[0].headers["x-custom"] == "yes"


@pytest.mark.parametrize("name", ["echo", "nobody", "a%2Fb"])
def test_only_timers_can_be_asked_for(name: str) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route("echo", methods=["POST"])
    async def echo(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("echo")

    with serving(app) as host:
        answer = run_timer(host, name)

    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"null", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"input": ""}', "text/plain", 415),
    ],
)
def test_a_timer_is_asked_for_in_json(body: bytes, content_type: str, status: int) -> None:
    app = func.FunctionApp()
    runs: list[int] = []

    @app.timer_trigger(arg_name="timer", schedule=NEVER_SOON)
    async def tick(timer: func.TimerRequest) -> None:
        runs.append(1)

    with serving(app) as host:
        answer = host.send("POST", "/admin/functions/tick", body, {"Content-Type": content_type})
        assert host.send("GET", "/admin/functions/tick").status == 404

    assert (answer.status, answer.body) == (status, b"")
    assert runs == []


def test_stopping_the_host_ends_schedules_and_what_runs() -> None:
    app = func.FunctionApp()
    events: list[str] = []

    @app.timer_trigger(arg_name="timer", schedule=EVERY_SECOND)
    async def stubborn(timer: func.TimerRequest) -> None:
        events.append("started")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            events.append("cancelled")  # and survives it, as the app's handlers do

    with serving(app):
        wait_until(lambda: events == ["started"])

    assert events == ["started", "cancelled"]


def test_a_schedule_it_cannot_keep_it_refuses_to_start() -> None:
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule="%SCHEDULE%")
    async def tick(timer: func.TimerRequest) -> None: ...

    with pytest.raises(HostError, match="tick: this host cannot keep the schedule: '%SCHEDULE%'"):
        index(app, HOST_JSON)
