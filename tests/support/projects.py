"""A folder like the repository's with another function app in it, for `python -m local`."""

from pathlib import Path

from tests.support import ROOT


def project(folder: Path, app: str) -> Path:
    """Make `folder` such a folder; `app` is the text of its function_app.py."""
    folder.mkdir(exist_ok=True)
    for name in ("local", "conversations", "dashboard", "host.json", "local.settings.sample.json"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "function_app.py").write_text(app)
    return folder
