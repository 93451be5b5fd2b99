"""The front door: what Azure Functions loads and indexes. Nothing else belongs here."""

import os

from conversations.app import App

_app = App(os.environ)
_app.warm_up()
app = _app.functions
