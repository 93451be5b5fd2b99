"""Known vulnerabilities of what requirements-dev.txt, and so requirements.txt, pins.

Asks pip-audit and fails on a finding. Where the database cannot be reached it says so and succeeds:
pip-audit by itself reports packages that it could not look up as if they were clean.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).parent.parent / "requirements-dev.txt"
# No answer by then: a network that swallows packets, not a slow database.
SECONDS = 120
OFFLINE = "Skipped the audit for known vulnerabilities: their database cannot be reached."


def main() -> int:
    """Run pip-audit, say what it found and give the exit code."""
    command = [sys.executable, "-m", "pip_audit", "--format=json", "--progress-spinner=off"]
    # The file is the whole closure with hashes: nothing is to be resolved or downloaded.
    command += [
        "--disable-pip",
        "--require-hashes",
        "--timeout=5",
        "--requirement",
        str(REQUIREMENTS),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return say(0, OFFLINE)
    if not done.stdout and "ConnectionError" in done.stderr:
        return say(0, OFFLINE)
    if not done.stdout:
        return say(1, done.stderr)
    return say(*verdict(json.loads(done.stdout)["dependencies"]))


def verdict(packages: list[dict[str, Any]]) -> tuple[int, str]:
    """The exit code, and what there is to say, for pip-audit's list of packages."""
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return 0, OFFLINE
    findings = [
        f"{package['name']} {package['version']}: {found['id']}, "
        f"mended in {', '.join(found['fix_versions']) or 'no version'}"
        for package in known
        for found in package["vulns"]
    ]
    if findings:
        return 1, "\n".join(findings)
    unknown = sorted({package["name"] for package in packages} - {p["name"] for p in known})
    aside = f" (not in the database: {', '.join(unknown)})" if unknown else ""
    return 0, f"No known vulnerabilities in {len(known)} packages{aside}."


def say(code: int, text: str) -> int:
    """Print the text and pass the code on."""
    print(text.strip(), file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    sys.exit(main())
