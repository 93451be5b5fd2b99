"""The front door: what Azure Functions loads and indexes. Nothing else belongs here."""

import azure.functions as func

from conversations.api.routes import blueprint, warm_up

# Callers are let in by API Management and App Service authentication, not by function keys.
app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
app.register_functions(blueprint)
warm_up()
