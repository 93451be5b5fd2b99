"""The routes that are measured, with answers as long as ours, and nothing else."""

import json

import azure.functions as func

from benchmarks.traffic import CONVERSATIONS, ITEMS, METADATA, PAGE

ID = "conv_6553f1008c1f0d5ab3e94772a1b2c3d4e5f60718293a4b5c"
CONVERSATION = json.dumps(
    {"id": ID, "object": "conversation", "created_at": 1700000000, "metadata": METADATA}
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
ONE = CONVERSATIONS[1:] + "/{conversation_id}"


def _page(count: int) -> str:
    data = (ITEMS * count)[:count]
    return json.dumps({"object": "list", "data": data, "first_id": "msg_1", "last_id": "msg_2"})


APPENDED, LISTED = _page(len(ITEMS)), _page(PAGE)


@app.route(CONVERSATIONS[1:], methods=["POST"])
async def create_conversation(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse(CONVERSATION, mimetype="application/json")


@app.route(ONE, methods=["POST"])
async def update_conversation(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse(CONVERSATION, mimetype="application/json")


@app.route(ONE + "/items", methods=["POST"])
async def create_items(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse(APPENDED, mimetype="application/json")


@app.route(ONE + "/items", methods=["GET"])
async def list_items(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse(LISTED, mimetype="application/json")
