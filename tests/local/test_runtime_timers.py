"""A timer function gets the same from the local host as from the library that runs it in Azure."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.projects import project
from tests.support.rest import JSON, Rest
from tests.support.servers import Server, serve
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 13), reason="azure-functions-runtime serves Python 3.13 and later"
)

APP = """
import json

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
requests = []


@app.route("requests")
async def tell(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(requests), mimetype="application/json")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 29 2 *", use_monitor=False)
async def tick(timer: func.TimerRequest, context: func.Context) -> None:
    assert isinstance(timer, func.TimerRequest)
    requests.append([context.function_name, timer.to_dict()])


@app.timer_trigger(arg_name="timer", schedule="* * * * * *")
async def fragile(timer: func.TimerRequest) -> None:
    raise ValueError("it raised")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return project(tmp_path, APP)


def request_of_a_timer(server: Server) -> Any:
    """What the timer function got that was asked for."""
    rest = Rest(server.url)
    assert rest.send("POST", "/admin/functions/tick", b'{"input": ""}', JSON).status == 202
    wait_until(lambda: "Executed 'Functions.tick' (Succeeded" in server.log())
    (request,) = rest.send("GET", "/requests").json()
    return request


def test_the_timer_request_is_equal(folder: Path) -> None:
    with (
        serve("host", "--port=0", folder=folder) as local,
        serve(str(folder), module="tests.support.runtime_host") as runtime,
    ):
        requests = [request_of_a_timer(server) for server in (local, runtime)]

    expected = {"past_due": False, "schedule": {"AdjustForDST": True}, "schedule_status": {}}
    assert requests == [["tick", expected]] * 2


def test_a_timer_that_raises_in_the_library_is_run_again(folder: Path) -> None:
    with serve(str(folder), module="tests.support.runtime_host") as runtime:
        wait_until(lambda: runtime.log().count("Executed 'Functions.fragile' (Failed") >= 2)

        assert "it raised" in runtime.log()
        assert Rest(runtime.url).send("GET", "/requests").json() == []
