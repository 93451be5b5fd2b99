"""What several rooms of tests share: servers, clients, injected faults."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
