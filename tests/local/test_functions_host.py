"""The local host keeps the real host's rules, the unpleasant ones included."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import azure.functions as func
import pytest
from aiohttp import web

from local.functions_host import FunctionsHost, HostError, index
from tests.support.rest import Rest

HOST_JSON = {"extensions": {"http": {"routePrefix": "", "customHeaders": {"X-Custom": "yes"}}}}


def make_app() -> func.FunctionApp:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route("things/{thing}", methods=["GET"])
    async def b_parameter(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(f"parameter {req.route_params['thing']}")

    @app.route("things/literal", methods=["GET"])
    async def c_literal(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse("literal")

    @app.route("echo", methods=["POST"])
    async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        headers = {"X-Trace": str(context.trace_context.trace_parent), "X-Custom": "app"}
        shown = f"{req.headers.get('x-twice')}|{dict(req.params)}|{req.get_body().decode()}"
        return func.HttpResponse(shown, headers=headers)

    @app.route("raises")
    async def raises(req: func.HttpRequest) -> func.HttpResponse:
        raise ValueError("secret")

    @app.route("nothing")
    async def returns_nothing(req: func.HttpRequest) -> func.HttpResponse:
        return None  # type: ignore[return-value]

    return app


@contextmanager
def serving(handler: Callable[[web.BaseRequest], Any]) -> Iterator[str]:
    ready = threading.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        runner = web.ServerRunner(web.Server(handler, access_log=None))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        urls.append("http://{}:{}".format(*runner.addresses[0]))
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield urls[0]
    loop.call_soon_threadsafe(stop.set)
    thread.join()
    loop.close()


@pytest.fixture(scope="module")
def host() -> Iterator[Rest]:
    functions = index(make_app(), HOST_JSON)
    with serving(FunctionsHost(functions, HOST_JSON).handle) as url:
        yield Rest(url)


def test_functions_match_in_the_order_of_their_names(host: Rest) -> None:
    answer = host.send("GET", "/things/literal")

    assert answer.status == 200
    assert answer.body == b"parameter literal"


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/things/x"), ("HEAD", "/things/x"), ("OPTIONS", "/echo"), ("GET", "/x/y/z")],
)
def test_what_no_function_takes_is_an_empty_404(host: Rest, method: str, path: str) -> None:
    answer = host.send(method, path)

    assert (answer.status, answer.body) == (404, b"")


def test_literals_match_regardless_of_case_and_a_slash_is_accepted(host: Rest) -> None:
    answer = host.send("GET", "/THINGS/Mixed/")

    assert (answer.status, answer.body) == (200, b"parameter Mixed")


def test_parameters_are_decoded_but_for_the_slash(host: Rest) -> None:
    answer = host.send("GET", "/things/a%20b%2Fc%2fd%C3%A9")

    assert (answer.status, answer.body.decode()) == (200, "parameter a b%2Fc%2fdé")


def test_repeated_headers_are_joined_and_empty_query_values_dropped(host: Rest) -> None:
    answer = host.send("POST", "/echo?a=1&b=", b"body", {"X-Twice": "1"})
    assert answer.body == b"1|{'a': '1'}|body"


def test_a_chunked_body_is_dropped(host: Rest) -> None:
    answer = host.send("POST", "/echo", b"body", chunked=True)

    assert (answer.status, answer.body) == (200, b"None|{}|")


def test_the_trace_id_is_the_callers_with_a_new_span(host: Rest) -> None:
    sent = f"00-{'a' * 32}-{'b' * 16}-01"

    trace_parent = host.send("POST", "/echo", headers={"traceparent": sent}).headers["x-trace"]

    assert trace_parent.startswith(f"00-{'a' * 32}-")
    assert trace_parent.endswith("-01")
    assert "b" * 16 not in trace_parent


def test_an_exception_is_an_empty_500(host: Rest) -> None:
    for path in ("/raises", "/nothing"):
        answer = host.send("GET", path)

        assert (answer.status, answer.body) == (500, b"")


def test_custom_headers_are_on_every_answer(host: Rest) -> None:
    assert host.send("GET", "/nowhere").headers["x-custom"] == "yes"
    assert host.send("POST", "/echo").headers["x-custom"] == "app"


def test_what_it_cannot_serve_it_refuses_to_start() -> None:
    app = func.FunctionApp()

    @app.route("files/{name:alpha}")
    async def constrained(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse()

    with pytest.raises(HostError, match="constrained"):
        index(app, HOST_JSON)
