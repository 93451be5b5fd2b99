"""The local host keeps the real host's rules, the unpleasant ones included."""

import json
import logging
import re
from collections.abc import Iterator

import azure.functions as func
import pytest

from local.functions import HostError, HttpFunction, TimerFunction, index
from tests.support.local_host import HOST_JSON, serving
from tests.support.rest import Rest


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

    @app.route("told", methods=["GET"])
    async def told(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        told = {
            "url": req.url,
            "function": context.function_name,
            "invocation": context.invocation_id,
        }
        return func.HttpResponse(json.dumps(told), mimetype="application/json", status_code=201)

    @app.route("raises")
    async def raises(req: func.HttpRequest) -> func.HttpResponse:
        raise ValueError("secret")

    @app.route("nothing")
    async def returns_nothing(req: func.HttpRequest) -> func.HttpResponse:
        return None  # type: ignore[return-value]

    return app


@pytest.fixture(scope="module")
def host() -> Iterator[Rest]:
    with serving(make_app()) as rest:
        yield rest


def test_functions_match_in_the_order_of_their_names(host: Rest) -> None:
    answer = host.send("GET", "/things/literal")

    assert answer.status == 200
    assert answer.body == b"parameter literal"


@pytest.mark.parametrize(("first", "second"), [("zz_all", "z_thing"), ("a", "B"), ("A", "b")])
def test_names_are_compared_in_capitals_where_an_underscore_comes_last(
    first: str, second: str
) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.function_name(second)
    @app.route("thing")
    async def behind(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(second)

    @app.function_name(first)
    @app.route("{*path}")
    async def before(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(first)

    with serving(app) as host:
        assert host.send("GET", "/thing").body.decode() == first


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


@pytest.mark.parametrize("path", ["/raises", "/nothing"])
def test_a_handler_that_raises_is_an_empty_500_and_a_line_in_the_log(
    host: Rest, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = host.send("GET", path)

    assert (answer.status, answer.body) == (500, b"")
    assert answer.headers["x-custom"] == "yes"
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "raised: Azure would answer 500 without a body" in record.getMessage()
    assert record.exc_info
    assert host.send("GET", "/things/x").status == 200


def test_custom_headers_are_on_every_answer(host: Rest) -> None:
    assert host.send("GET", "/nowhere").headers["x-custom"] == "yes"
    assert host.send("POST", "/echo").headers["x-custom"] == "app"


def test_status_and_mimetype_are_the_functions(host: Rest) -> None:
    answer = host.send("GET", "/told")

    assert answer.status == 201
    assert answer.headers["content-type"] == "application/json"


def test_the_url_keeps_the_query_byte_for_byte(host: Rest) -> None:
    answer = host.send("GET", "/TOLD?metadata[k]=a+b&y=&x=%FF")

    assert answer.json()["url"] == f"{host.base_url}/TOLD?metadata[k]=a+b&y=&x=%FF"
    assert host.send("GET", "/told").json()["url"] == f"{host.base_url}/told"


def test_a_host_header_does_not_pass_for_a_path(host: Rest) -> None:
    answer = host.send("GET", "/told", headers={"Host": "a/b?c"})

    assert answer.json()["url"] == "http://a%2Fb%3Fc/told"


def test_a_context_names_the_function_and_the_invocation(host: Rest) -> None:
    contexts = [host.send("GET", "/told").json() for _ in range(2)]

    assert [context["function"] for context in contexts] == ["told", "told"]
    assert contexts[0]["invocation"] != contexts[1]["invocation"]


@pytest.mark.parametrize("sent", [None, "00-short-b-01", f"01-{'a' * 32}-{'b' * 16}-01"])
def test_without_a_callers_trace_id_there_is_a_new_one(host: Rest, sent: str | None) -> None:
    headers = {"traceparent": sent} if sent else {}

    trace_parents = [
        host.send("POST", "/echo", headers=headers).headers["x-trace"] for _ in range(2)
    ]

    assert trace_parents[0][:35] != trace_parents[1][:35]
    assert all(re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-00", one) for one in trace_parents)


@pytest.mark.parametrize("method", ["GET", "POST", "PROPFIND"])
def test_without_a_method_list_all_methods_match(method: str) -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.function_name("zz_rest")
    @app.route("{*path}")
    async def rest(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(f"{req.method} {req.route_params['path']}")

    with serving(app) as host:
        assert host.send(method, "/a/b%2Fc").body.decode() == f"{method} a/b%2Fc"


def test_the_route_defaults_to_the_name_and_bears_the_prefix() -> None:
    app = func.FunctionApp()

    @app.route()
    async def status(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse()

    (function,) = index(app, {"extensions": {"http": {"routePrefix": "api"}}})

    assert isinstance(function, HttpFunction)
    assert function.match("GET", "/api/status") == {}
    assert function.match("GET", "/status") is None


def test_functions_of_both_kinds_are_indexed() -> None:
    app = func.FunctionApp()

    @app.route("things/{thing}", methods=["GET"])
    async def thing(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse()

    @app.timer_trigger(arg_name="timer", schedule="0 0 * * * *")
    async def tick(timer: func.TimerRequest) -> None: ...

    http, timer = index(app, HOST_JSON)

    assert isinstance(http, HttpFunction)
    assert (http.name, http.methods) == ("thing", frozenset(["GET"]))
    assert isinstance(timer, TimerFunction)
    assert (timer.name, timer.run_on_startup) == ("tick", False)


def test_another_trigger_it_refuses_to_start() -> None:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="q", connection="c")
    async def listener(message: func.QueueMessage) -> None: ...

    with pytest.raises(HostError, match="listener has a queueTrigger"):
        index(app, HOST_JSON)


def test_a_route_it_does_not_know_it_refuses_to_start() -> None:
    app = func.FunctionApp()

    @app.route("files/{name:alpha}")
    async def constrained(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse()

    with pytest.raises(HostError, match="constrained"):
        index(app, HOST_JSON)
