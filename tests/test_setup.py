"""`make` on a new machine: what it would do, and what it says where something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def make(folder: Path, *arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "PYTHON"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env=inherited | ({"PATH": path} if path else {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def write_program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def fake_installation(checkout: Path) -> None:
    """A virtual environment that is whole and newer than what it depends on."""
    for name in ("python", "pip"):
        write_program(checkout / ".venv" / "bin" / name, 'echo "called: $0 $*"')
    (checkout / ".venv" / "installed").touch()


def fail_as_python(checkout: Path) -> str:
    """A PATH on which every Python runs but lacks ensurepip, as on Debian without python3-venv."""
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        write_program(checkout / "programs" / name, 'case "$*" in *ensurepip*) exit 1;; esac\nexit 0')
    return f"{checkout / 'programs'}:{os.environ['PATH']}"


def test_a_first_demo_makes_a_virtual_environment_installs_and_runs(checkout: Path) -> None:
    planned = make(checkout, "-n", "demo").stdout
    steps = [planned.index(words) for words in ("-m venv --clear .venv", "pip install", ".venv/bin/kcode demo")]
    assert steps == sorted(steps)


def test_a_second_demo_installs_nothing_until_the_project_file_changes(checkout: Path) -> None:
    fake_installation(checkout)
    assert make(checkout, "-n", "demo").stdout == ".venv/bin/kcode demo\n"
    later = (checkout / ".venv" / "installed").stat().st_mtime + 10
    os.utime(checkout / "pyproject.toml", (later, later))
    planned = make(checkout, "-n", "demo").stdout
    assert "pip install" in planned
    assert "-m venv" not in planned


def test_a_virtual_environment_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    fake_installation(checkout)
    (checkout / ".venv" / "bin" / "python").unlink()
    (checkout / ".venv" / "bin" / "python").symlink_to("/no/such/python3.11")
    planned = make(checkout, "-n", "demo").stdout
    assert "-m venv --clear .venv" in planned
    assert "pip install" in planned


def test_tests_need_more_than_the_demo(checkout: Path) -> None:
    fake_installation(checkout)
    planned = make(checkout, "-n", "test").stdout
    assert "'.[dev]'" in planned
    assert planned.rstrip().endswith(".venv/bin/pytest -n auto --dist worksteal")


def test_a_machine_without_python_is_told_what_to_do(checkout: Path) -> None:
    done = make(checkout, "PYTHON=", "demo")
    assert done.returncode != 0
    assert "kcode needs Python 3.11 or newer, and none was found" in done.stderr


def test_a_python_without_venv_is_told_what_to_do(checkout: Path) -> None:
    done = make(checkout, "demo", path=fail_as_python(checkout))
    assert done.returncode != 0
    assert "python3.13 cannot make a virtual environment" in done.stderr
    assert "apt install python3-venv" in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_python_that_can_make_environments_is_preferred_to_a_newer_one(checkout: Path) -> None:
    path = fail_as_python(checkout)
    write_program(checkout / "programs" / "python3.11", 'echo "Python 3.11.9"')
    assert '"python3.11" -m venv' in make(checkout, "-n", "demo", path=path).stdout


def test_an_old_python_is_not_taken(checkout: Path) -> None:
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        write_program(checkout / "programs" / name, "exit 1")
    done = make(checkout, "demo", path=f"{checkout / 'programs'}:{os.environ['PATH']}")
    assert "none was found" in done.stderr


def test_help_names_every_goal_of_the_readme(checkout: Path) -> None:
    said = make(checkout).stdout
    for goal in ("demo", "test", "check", "bench"):
        assert f"make {goal} " in said


def test_the_script_of_continuous_integration_is_sound() -> None:
    assert subprocess.run(["sh", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0
    assert subprocess.run(["bash", "-n", ROOT / ".ci" / "run"], check=False).returncode == 0
    text = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for command in ("make test", "ruff format --check", "ruff check", "mypy"):
        assert command in text
