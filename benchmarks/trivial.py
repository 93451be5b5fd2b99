"""A function app that only answers, at the length of ours: what any function costs."""

import json

import azure.functions as func

from benchmarks.traffic import CONVERSATIONS, ITEMS, METADATA, PAGE

ONE = CONVERSATIONS.removeprefix("/") + "/{id}"
CONVERSATION = {"id": "conv_" + 48 * "0", "object": "conversation", "metadata": METADATA}

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def _add(method: str, route: str, content: object) -> None:
    body = json.dumps(content)

    @app.function_name(f"{method}_{route.count('/')}")
    @app.route(route, methods=[method])
    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(body, mimetype="application/json")


_add("POST", CONVERSATIONS.removeprefix("/"), CONVERSATION)
_add("POST", ONE, CONVERSATION)
_add("POST", f"{ONE}/items", {"object": "list", "data": ITEMS})
_add("GET", f"{ONE}/items", {"object": "list", "data": (ITEMS * PAGE)[:PAGE]})
