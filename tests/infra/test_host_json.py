"""host.json: the rules of its schema that matter here, and the choices this app depends on."""

import json
import re
from typing import Any

from conversations.limits import SWEEP_SECONDS
from tests.support import ROOT

HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text("utf-8"))

# The properties that the schema has, of the sections used here.
TOP = {
    "$schema", "aggregator", "applicationInsights", "concurrency", "customHandler",
    "extensionBundle", "extensions", "functions", "functionTimeout", "healthMonitor", "id",
    "logging", "managedDependency", "retry", "singleton", "telemetryMode", "version",
    "watchDirectories", "watchFiles",
}  # fmt: skip
HTTP = {
    "customHeaders", "dynamicThrottlesEnabled", "hsts", "maxConcurrentRequests",
    "maxOutstandingRequests", "routePrefix",
}  # fmt: skip
LOG_LEVELS = {"Trace", "Debug", "Information", "Warning", "Error", "Critical", "None"}


def test_only_known_properties_are_used() -> None:
    assert set(HOST) <= TOP
    assert set(HOST["extensions"]) == {"http"}
    assert set(HOST["extensions"]["http"]) <= HTTP
    assert set(HOST["logging"]) <= {
        "applicationInsights", "console", "fileLoggingMode", "logLevel",
    }  # fmt: skip
    assert set(HOST["logging"]["logLevel"].values()) <= LOG_LEVELS


def test_the_paths_are_the_public_ones() -> None:
    assert HOST["version"] == "2.0"
    assert HOST["extensions"]["http"]["routePrefix"] == ""


def test_http_needs_no_extension_bundle() -> None:
    assert "extensionBundle" not in HOST


def test_the_sweep_has_minutes_and_ends_before_it_runs_again() -> None:
    minutes = re.fullmatch(r"00:(\d\d):00", HOST["functionTimeout"])
    assert minutes
    assert 2 <= int(minutes[1]) < 15


def test_the_host_answers_no_429_of_its_own() -> None:
    assert HOST["extensions"]["http"]["dynamicThrottlesEnabled"] is False


def test_answers_are_not_sniffed() -> None:
    assert HOST["extensions"]["http"]["customHeaders"] == {"X-Content-Type-Options": "nosniff"}


def test_every_request_is_logged_and_none_is_sampled_away() -> None:
    assert HOST["logging"]["logLevel"]["Host.Results"] == "Information"
    sampling = HOST["logging"]["applicationInsights"]["samplingSettings"]
    assert set(sampling["excludedTypes"].split(";")) == {"Request", "Exception", "Trace"}


def test_a_sweep_ends_at_half_of_the_time_at_which_the_host_would_end_the_process() -> None:
    """At the time-out the worker is replaced, with every request that it serves."""
    hours, minutes, seconds = map(int, HOST["functionTimeout"].split(":"))

    assert (hours * 60 + minutes) * 60 + seconds == 2 * SWEEP_SECONDS
