"""The one place where the parts are put together: settings, client, stores, operations, triggers.

Nothing else in this package is a singleton. What the host waits for at its start imports neither
pydantic nor the Cosmos SDK, which are most of a cold start; they are loaded behind its back.
"""

import asyncio
import contextlib
import gc
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import azure.functions as func

from conversations.api.conditions import repeatable_create, repeatable_write
from conversations.api.edge import Answer, Handler, log_failure
from conversations.api.errors import InternalError
from conversations.api.routes import Route, blueprint

if TYPE_CHECKING:
    from conversations.api.caller import CallerCheck
    from conversations.database.client import Client

CONVERSATIONS = "openai/v1/conversations"
CONVERSATION = CONVERSATIONS + "/{conversation_id}"
ITEMS = CONVERSATION + "/items"
ITEM = ITEMS + "/{item_id}"

ROUTES = (
    Route("list_conversations", CONVERSATIONS, "GET"),
    Route("create_conversation", CONVERSATIONS, "POST", repeatable_create),
    Route("retrieve_conversation", CONVERSATION, "GET"),
    Route("update_conversation", CONVERSATION, "POST", repeatable_write),
    Route("delete_conversation", CONVERSATION, "DELETE", repeatable_write),
    Route("list_items", ITEMS, "GET"),
    Route("create_items", ITEMS, "POST", repeatable_create),
    Route("delete_item", ITEM, "DELETE"),
    Route("retrieve_item", ITEM, "GET"),
)

SWEEP = "sweep_deleted_conversations"
SWEEP_SCHEDULE = "0 */15 * * * *"  # six fields, the first are seconds: every 15 minutes


class App:
    """The API as an Azure Functions app, configured by `environment`.

    A bad setting does not keep it from starting: every request is answered with 500 and the log
    says which setting and why.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._parts: Parts | None = None
        self._loading: asyncio.Task[Parts] | None = None
        # Callers are let in by API Management and App Service authentication, not by function keys.
        self.functions = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
        self.functions.register_functions(blueprint(ROUTES, self._handler))
        self.functions.register_functions(self._timers())

    def warm_up(self) -> None:
        """Load the parts and open the database, so that the first request need not wait for it.

        Neither waits nor fails. Does nothing outside of an event loop, where tools index the app.
        """
        with contextlib.suppress(RuntimeError):
            self._load()

    def _handler(self, operation: str) -> Handler:
        async def handle(request: func.HttpRequest) -> Answer:
            parts = self._parts or await self._loaded()
            if parts.caller:
                await parts.caller.check(request.headers)
            return await parts.operations[operation](request)

        return handle

    def _timers(self) -> func.Blueprint:
        timers = func.Blueprint()  # type: ignore[no-untyped-call]

        async def sweep(timer: func.TimerRequest) -> None:
            try:
                parts = self._parts or await self._loaded()
                await parts.sweep()
            except Exception as error:  # the host would log its text
                log_failure(SWEEP, error)

        sweep.__name__ = SWEEP
        # With storage the host runs it on one instance at a time, and keeps the schedule there.
        # Without, as on a developer's machine, a schedule to keep would stop it from running.
        has_storage = any(name.startswith("AzureWebJobsStorage") for name in self._environment)
        timers.timer_trigger(schedule=SWEEP_SCHEDULE, arg_name="timer", use_monitor=has_storage)(
            sweep
        )
        return timers

    async def _loaded(self) -> "Parts":
        # A request that is cancelled leaves; the loading goes on for the others.
        return await asyncio.shield(self._load())

    def _load(self) -> "asyncio.Task[Parts]":
        """Start loading the parts, or join the loading under way.

        Raises RuntimeError outside of an event loop.
        """
        if self._loading is None or self._loading.done():
            loop = asyncio.get_running_loop()
            self._loading = loop.create_task(self._load_parts())
            self._loading.add_done_callback(_see_exception)
        return self._loading

    async def _load_parts(self) -> "Parts":
        # In a thread, so that the worker can meanwhile tell the host which functions there are.
        gc.disable()  # next to nothing of what is imported is garbage
        try:
            self._parts = await asyncio.to_thread(Parts, self._environment)
        finally:
            gc.enable()
        self._parts.client.open().add_done_callback(_freeze)
        return self._parts


def _see_exception(loading: "asyncio.Task[Parts]") -> None:
    """Keep asyncio from reporting a failure that the first request will meet and report."""
    if not loading.cancelled():
        loading.exception()


def _freeze(_: object) -> None:
    """Hide from the garbage collector all that has been loaded, which stays for good.

    Looking through it again and again would stop the event loop for 20 ms each time.
    """
    gc.freeze()


class Parts:
    """What serves requests and timers: the operations by name, on one database client."""

    client: "Client"
    caller: "CallerCheck | None" = None
    operations: Mapping[str, Handler]
    sweep: Callable[[], Awaitable[None]]

    def __init__(self, environment: Mapping[str, str]) -> None:
        # Pydantic would look for plugins in the metadata of every package that is installed.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        # Imported here: see the module's docstring.
        from conversations.database.client import Client
        from conversations.database.session import Session
        from conversations.resources.answers import translated
        from conversations.resources.conversations.operations import ConversationOperations
        from conversations.resources.conversations.store import ConversationStore
        from conversations.resources.items.operations import ItemOperations
        from conversations.resources.items.store import ItemStore
        from conversations.resources.sweep import Sweep
        from conversations.settings import Settings, SettingsError

        try:
            settings = Settings.from_environment(environment)
        except SettingsError as error:
            raise InternalError(str(error)) from error
        if settings.gateway_principal_id:
            from conversations.api.caller import CallerCheck, Gateway

            self.caller = CallerCheck(
                Gateway(
                    settings.gateway_principal_id,
                    str(settings.gateway_issuer),
                    str(settings.gateway_audience),
                )
            )
        self.client = Client(settings)
        session = Session(self.client, settings.cosmos_timeout_seconds)
        required = settings.require_user_isolation_key
        conversations = ConversationOperations(
            ConversationStore(session), require_isolation_key=required
        )
        items = ItemOperations(ItemStore(session), require_isolation_key=required)
        of = {CONVERSATIONS: conversations, CONVERSATION: conversations, ITEMS: items, ITEM: items}
        self.operations = {
            route.operation: translated(getattr(of[route.template], route.operation))
            for route in ROUTES
        }
        self.sweep = Sweep(session).run
