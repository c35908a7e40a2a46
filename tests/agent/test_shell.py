from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.agent.shell import environment_for

if TYPE_CHECKING:
    from pathlib import Path


def test_commands_find_the_projects_own_virtual_environment_first(tmp_path: Path) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    found = environment_for(tmp_path, {"PATH": "/usr/bin", "VIRTUAL_ENV": "/other"})
    assert found == {"PATH": f"{tmp_path}/.venv/bin:/usr/bin", "VIRTUAL_ENV": f"{tmp_path}/.venv"}


def test_without_one_the_environment_stays_as_it_is(tmp_path: Path) -> None:
    assert environment_for(tmp_path, {"PATH": "/usr/bin"}) == {"PATH": "/usr/bin"}
