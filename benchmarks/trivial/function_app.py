"""The update's route and the update's answer, without validation, database or log line."""

import azure.functions as func

ANSWER = (
    '{"id":"conv_6553f1008c1f0d5ab3e94772a1b2c3d4e5f60718293a4b5c","object":"conversation",'
    '"created_at":1700000000,"metadata":{"topic":"benchmark","user":"Ada","language":"en"}}'
)

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route("openai/v1/conversations/{conversation_id}", methods=["POST"])
async def update_conversation(req: func.HttpRequest) -> func.HttpResponse:
    """Answer."""
    return func.HttpResponse(ANSWER, mimetype="application/json")
