"""The package that is deployed: what is in it, and that nothing in it is compiled in Azure."""

import fnmatch
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.infra import INFRA
from tests.support import ROOT

BUILD = [sys.executable, str(INFRA / "build_package.py")]
APP = {"function_app.py", "host.json", "conversations"}
IN_THE_PACKAGE = APP | {".funcignore", ".python_packages", "__pycache__"}

needs_the_deployed_python = pytest.mark.skipif(
    sys.version_info[:2] != (3, 13), reason="the package holds bytecode of Python 3.13"
)

# Run in the unpacked package, with nothing else on the path: any compilation is an error.
IMPORT = """
import importlib.machinery, json, sys
def refuse(self, data, path, *, _optimize=-1):
    raise RuntimeError(f"compiled at run time: {path}")
importlib.machinery.SourceFileLoader.source_to_code = refuse
sys.path[:0] = [sys.argv[1], f"{sys.argv[1]}/.python_packages/lib/site-packages"]
import function_app, azure.cosmos.aio, azure.identity.aio
print(json.dumps([function_app.__cached__, azure.cosmos.aio.__file__]))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Make the package as Azure gets it: built, zipped, unpacked elsewhere, read-only."""
    folder = tmp_path_factory.mktemp("package")
    built, unpacked = folder / "dist", folder / "unpacked"
    subprocess.run([*BUILD, "--output", str(built)], check=True)
    shutil.unpack_archive(shutil.make_archive(str(folder / "dist"), "zip", built), unpacked)
    shutil.rmtree(built)
    everything = [unpacked, *unpacked.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield unpacked
    for path in everything:
        path.chmod(0o755 if path.is_dir() else 0o644)


@needs_the_deployed_python
def test_the_package_holds_the_app_its_dependencies_and_nothing_else(package: Path) -> None:
    assert {path.name for path in package.iterdir()} == IN_THE_PACKAGE
    assert not [path for path in (package / "conversations").rglob("*") if "test" in path.name]


@needs_the_deployed_python
def test_nothing_is_left_out_by_the_deployment(package: Path) -> None:
    lines = (package / ".funcignore").read_text("utf-8").splitlines()
    assert all(line.startswith("#") for line in lines)


@needs_the_deployed_python
def test_the_package_imports_without_compiling_anything(package: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in package.rglob("*")}
    # Isolated and without this environment's packages.
    command = [sys.executable, "-I", "-S", "-c", IMPORT, str(package)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cached, cosmos = json.loads(done.stdout)
    assert cached == str(package / "__pycache__/function_app.cpython-313.pyc")
    assert cosmos.startswith(str(package))
    assert {path: path.stat().st_mtime_ns for path in package.rglob("*")} == before


@needs_the_deployed_python
def test_bytecode_is_used_whatever_the_times_of_the_files(package: Path) -> None:
    compiled = list(package.rglob("*.pyc"))
    assert len(compiled) > 500
    # PEP 552: bit 0 says that the file is hash-based, bit 1 that the source is to be checked.
    assert {file.read_bytes()[4:8] for file in compiled} == {b"\x01\x00\x00\x00"}


@needs_the_deployed_python
def test_the_dependencies_are_those_for_linux(package: Path) -> None:
    libraries = [
        path.name
        for path in (package / ".python_packages").rglob("*")
        if path.suffix in {".so", ".pyd", ".dylib"}
    ]
    assert libraries
    assert all(name.endswith(("x86_64-linux-gnu.so", "abi3.so")) for name in libraries)


@pytest.mark.skipif(sys.version_info[:2] == (3, 13), reason="3.13 is the right version")
def test_another_python_is_refused(tmp_path: Path) -> None:
    command = [*BUILD, "--output", str(tmp_path / "dist")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "3.13" in done.stderr
    assert not (tmp_path / "dist").exists()


def test_the_output_folder_never_holds_the_repository(tmp_path: Path) -> None:
    (tmp_path / "repository").mkdir()
    command = [*BUILD, "--root", str(tmp_path / "repository"), "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert (tmp_path / "repository").exists()


def test_a_deployment_from_the_root_leaves_out_all_but_the_app() -> None:
    lines = (ROOT / ".funcignore").read_text("utf-8").splitlines()
    patterns = [line.removeprefix("/") for line in lines if line.startswith("/")]
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    kept = {
        path.split("/")[0]
        for path in listed
        if not any(fnmatch.fnmatchcase(path.split("/")[0], pattern) for pattern in patterns)
    }
    assert kept <= APP | {"requirements.txt", "LICENSE"}
