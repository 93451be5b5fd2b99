"""Tests of everything that is deployed around the app."""

from tests.support import ROOT

INFRA = ROOT / "infra"
