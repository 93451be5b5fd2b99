"""Which URL and method is which function, and what every other one is answered.

docs/contract.md#url-errors, docs/contract.md#operations.
"""

import azure.functions as func
import pytest

from conversations.api.edge import Answer, Handler, Trigger
from conversations.api.errors import InternalError
from conversations.api.routes import Route, blueprint
from tests.support.invocation import call, http_request, triggers

ONE = "v1/things"
TWO = "v1/things/{thing_id}"
MANY = "v1/things/{thing_id}/parts/{part_id}"

ROUTES = (
    Route("add", ONE, "POST"),
    Route("look", TWO, "GET"),
    Route("look_inside", MANY, "GET"),
    Route("take_out", MANY, "DELETE", repeatable=lambda headers: "x-once" not in headers),
)


@pytest.fixture(scope="module")
def functions() -> dict[str, Trigger]:
    app = func.FunctionApp()
    app.register_functions(blueprint(ROUTES, handler))
    return triggers(app)


def handler(operation: str) -> Handler:
    """A handler for each operation: it answers its name, but `take_out` fails."""

    async def handle(_: func.HttpRequest) -> Answer:
        if operation == "take_out":
            raise InternalError("broken")
        return Answer(operation)

    return handle


@pytest.mark.parametrize(
    ("template", "path", "matches"),
    [
        (ONE, "/v1/things", True),
        (ONE, "/v1/things/", True),
        (ONE, "/V1/Things", True),
        (ONE, "/v1/things//", False),
        (ONE, "/v1/things/a", False),
        (ONE, "v1/things", False),
        (ONE, "/x/v1/things", False),
        (TWO, "/v1/things/a", True),
        (TWO, "/v1/things/%2F..%2F/", True),
        (TWO, "/v1/things/", False),
        (TWO, "/v1/things//", False),
        (TWO, "/v1/things/a/parts", False),
        (MANY, "/v1/things/a/parts/b", True),
        (MANY, "/v1/THINGS/A/Parts/B/", True),
        (MANY, "/v1/things/a/parts", False),
        (MANY, "/v1/things/a/parts/", False),
        (MANY, "/v1/things//parts/b", False),
        (MANY, "/v1/things/a/parts/b/c", False),
        (MANY, "/v1/things/a/other/b", False),
        (MANY, "/v1/things/a/x/parts/b", False),
    ],
)
def test_a_route_takes_one_segment_for_each_parameter(
    template: str, path: str, matches: bool
) -> None:
    assert Route("operation", template, "GET").matches(path) is matches


def test_there_is_a_function_for_each_route_and_one_for_the_rest(
    functions: dict[str, Trigger],
) -> None:
    assert set(functions) == {"add", "look", "look_inside", "take_out", "zz_unknown_url"}
    assert max(functions) == "zz_unknown_url"
    for operation in ("add", "look", "look_inside"):
        assert call(functions[operation]).body == operation.encode()


def test_a_function_takes_its_routes_method_and_the_last_one_takes_all() -> None:
    app = func.FunctionApp()
    app.register_functions(blueprint(ROUTES, handler))
    built: list[func.Function] = app.get_functions()

    taken = {}
    for function in built:
        trigger = function.get_trigger()
        assert trigger
        binding = trigger.get_dict_repr()
        methods = tuple(method.value for method in binding.get("methods", ()))
        taken[function.get_function_name()] = (binding["route"], *methods)

    assert taken == {
        "add": (ONE, "POST"),
        "look": (TWO, "GET"),
        "look_inside": (MANY, "GET"),
        "take_out": (MANY, "DELETE"),
        "zz_unknown_url": ("{*path}",),
    }


def test_a_route_says_whether_its_operation_may_be_repeated(functions: dict[str, Trigger]) -> None:
    once = call(functions["take_out"], http_request(headers={"x-once": "1"}))

    assert once.headers["x-should-retry"] == "false"
    assert "x-should-retry" not in call(functions["take_out"]).headers


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/v1/things", "POST"),
        ("/V1/THINGS/", "POST"),
        ("/v1/things/a", "GET"),
        ("/v1/things/a/parts/b", "GET, DELETE"),
        ("/v1/things/a/Parts/b/", "GET, DELETE"),
    ],
)
@pytest.mark.parametrize("query", ["", "?", "?a=/x/y?z"])
def test_a_wrong_method_hears_which_the_url_takes(
    functions: dict[str, Trigger], path: str, allow: str, query: str
) -> None:
    request = http_request("patch", f"https://localhost:7071{path}{query}")

    answer = call(functions["zz_unknown_url"], request)

    assert answer.status == 405
    assert answer.headers["allow"] == allow
    assert answer.error == {
        "message": f"Method PATCH is not allowed on {path}. Use: {allow}.",
        "type": "invalid_request_error",
        "param": None,
        "code": "method_not_allowed",
    }


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/things/a/parts", "/v1/things/a/parts/b/c", "/é"])
@pytest.mark.parametrize("host", ["localhost", "[::1]:80", "a[b", ""])
def test_an_unknown_url_is_quoted_without_its_query(
    functions: dict[str, Trigger], path: str, host: str
) -> None:
    request = http_request("get", f"http://{host}{path}?q=1")

    answer = call(functions["zz_unknown_url"], request)

    assert answer.status == 404
    assert "allow" not in answer.headers
    assert answer.error == {
        "message": f"Invalid URL (GET {path}).",
        "type": "invalid_request_error",
        "param": None,
        "code": "unknown_url",
    }
