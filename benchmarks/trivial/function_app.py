"""The routes that are measured, with answers as long as ours, and nothing else."""

import json

import azure.functions as func

from benchmarks.traffic import CONVERSATIONS, ITEMS, METADATA, PAGE

ROOT = CONVERSATIONS.removeprefix("/")
ONE = ROOT + "/{conversation_id}"
CONVERSATION = {"id": "conv_" + 48 * "0", "object": "conversation", "metadata": METADATA}
PAGES = [{"object": "list", "data": (ITEMS * count)[:count]} for count in (len(ITEMS), PAGE)]

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


def _answer(name: str, route: str, method: str, content: object) -> None:
    body = json.dumps(content)

    async def answer(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(body, mimetype="application/json")

    answer.__name__ = name
    app.route(route, methods=[method])(answer)


_answer("create_conversation", ROOT, "POST", CONVERSATION)
_answer("update_conversation", ONE, "POST", CONVERSATION)
_answer("create_items", ONE + "/items", "POST", PAGES[0])
_answer("list_items", ONE + "/items", "GET", PAGES[1])
