"""Builds the folder that is deployed: the app, its dependencies, and their bytecode.

The package is mounted read-only in Azure, so what is not compiled here is compiled again at every
cold start. Linux wheels are installed whatever machine builds; the bytecode needs its Python.
"""

import argparse
import compileall
import shutil
import subprocess
import sys
from pathlib import Path
from py_compile import PycInvalidationMode

ROOT = Path(__file__).resolve().parent.parent
PYTHON = (3, 13)

# A list of what goes in, not of what stays out: a new file is not deployed by accident.
APP = ("function_app.py", "host.json", "conversations")
# Not deployed itself: azd leaves out __pycache__ from a folder that has no such file.
IGNORE_FILE = ".funcignore"
SITE_PACKAGES = Path(".python_packages", "lib", "site-packages")


def install(requirements: Path, target: Path) -> None:
    """Install the locked packages as Azure needs them, each checked against its hash."""
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet"]
    command += ["--python-platform=x86_64-manylinux_2_28", "--python-version=3.13"]
    command += ["--require-hashes", "--no-deps", "--only-binary=:all:"]
    # Links would share the files with uv's cache.
    command += ["--link-mode=copy", f"--target={target}", f"--requirements={requirements}"]
    subprocess.run(command, check=True)
    # Command-line scripts of dependencies: nothing starts them there.
    shutil.rmtree(target / "bin", ignore_errors=True)


def build(root: Path, output: Path) -> None:
    """Fill `output`, which is emptied first, with what is deployed."""
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    (output / IGNORE_FILE).write_text("# Everything in this folder is deployed.\n", "utf-8")
    for name in APP:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, output / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, output / name)
    install(root / "requirements.txt", output / SITE_PACKAGES)
    # Checked by content or not at all: a zip file rounds the times that Python would compare.
    # Paths as they will be read in tracebacks, not those of the machine that builds.
    compiled = compileall.compile_dir(
        output, quiet=1, stripdir=str(output), invalidation_mode=PycInvalidationMode.UNCHECKED_HASH
    )
    if not compiled:
        raise SystemExit("some files do not compile, see above")


def main() -> None:
    """Build from the command line."""
    parser = argparse.ArgumentParser(description="Build the folder that is deployed to Azure.")
    parser.add_argument(
        "--root", type=Path, default=ROOT, help="the repository (default: this one)"
    )
    parser.add_argument(
        "--output", type=Path, help="the folder to fill (default: dist in the root)"
    )
    options = parser.parse_args()
    if sys.version_info[:2] != PYTHON or sys.implementation.name != "cpython":
        parser.error("run this with CPython 3.13: bytecode of another version is ignored in Azure")
    root = options.root.resolve()
    output = (options.output or root / "dist").resolve()
    if root.is_relative_to(output):
        parser.error("the output folder is emptied first, and the repository is in it")
    build(root, output)


if __name__ == "__main__":
    main()
