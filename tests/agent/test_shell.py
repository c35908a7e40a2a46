from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import pytest

from kcode.agent.shell import Shell, environment_for
from kcode.draft.baseline import count_changed
from kcode.draft.draft import open_draft
from kcode.safegit import open_git
from kcode.sandbox import UNISOLATED
from kcode.session.store import Session
from kcode.workspace import open_workspace
from tests.repositories import new_repository, text_file, write_tree

if TYPE_CHECKING:
    from pathlib import Path


def test_commands_find_the_projects_own_virtual_environment_first(tmp_path: Path) -> None:
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").touch()
    found = environment_for(tmp_path, {"PATH": "/usr/bin", "VIRTUAL_ENV": "/other"})
    assert found == {"PATH": f"{tmp_path}/.venv/bin:/usr/bin", "VIRTUAL_ENV": f"{tmp_path}/.venv"}


def test_without_one_the_environment_stays_as_it_is(tmp_path: Path) -> None:
    assert environment_for(tmp_path, {"PATH": "/usr/bin"}) == {"PATH": "/usr/bin"}


@pytest.fixture
def open_shell(tmp_path: Path) -> Shell:
    """A shell without isolation over a project with dependencies that git ignores."""
    root = new_repository(tmp_path / "r", {".gitignore": "node_modules/\n", "a": "a"})
    write_tree(root, {"node_modules/.bin/tool": "#!/bin/sh\necho tool\n"})
    (root / "node_modules/.bin/tool").chmod(0o755)
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    workspace, session = open_workspace(root, environment), Session("1", tmp_path / "session", root)
    shell = Shell(workspace, session.folder, session.outputs_folder, None, environment, isolate=False)
    shell.sandbox = UNISOLATED
    shell.draft = open_draft(workspace, open_git(workspace, tmp_path / "git"), session.draft_folder, "copy")
    return shell


def test_without_isolation_commands_find_the_ignored_dependencies(open_shell: Shell) -> None:
    for _ in range(2):
        result = asyncio.run(open_shell.run("node_modules/.bin/tool && echo b > a", 20))
        assert (result.exit_code, result.output) == (0, "tool\n")
    assert open_shell.draft is not None
    assert [change.path for change in open_shell.draft.changes()] == ["a"]


LEAVES = "echo left > test; echo changed > a; echo seen >> snapshots; printf 'TAP version 13\\nok 1 - one\\n1..1\\n'"


def test_files_that_only_the_tests_made_are_not_proposed_until_somebody_touches_them(open_shell: Shell) -> None:
    draft = open_shell.draft
    assert draft is not None
    draft.write("snapshots", text_file("mine\n"), "write_file")
    open_shell.test_command = LEAVES
    report = asyncio.run(open_shell.run_tests("", 20))
    assert (report.ok, report.result.changed, report.result.left) == (True, ("a", "snapshots"), ("test",))
    assert [(change.path, change.by) for change in draft.changes()] == [
        ("a", "the tests"),
        ("snapshots", "write_file, the tests"),
    ]
    assert draft.left_out.by_tests == ("test",)
    assert draft.read("test") == text_file("left\n")
    assert count_changed(draft.folder / "base") == 2
    draft.write("test", text_file("the model's\n"), "write_file")
    assert [change.path for change in draft.changes()] == ["a", "snapshots", "test"]
    asyncio.run(open_shell.run_tests("", 20))
    assert "test" in [change.path for change in draft.changes()]


def test_what_was_deleted_and_is_left_by_the_tests_again_is_theirs(open_shell: Shell) -> None:
    draft = open_shell.draft
    assert draft is not None
    open_shell.test_command = LEAVES
    asyncio.run(open_shell.run_tests("", 20))
    draft.remove("test", "delete_file")
    assert "test" in asyncio.run(open_shell.run_tests("", 20)).result.left
    assert "test" not in [change.path for change in draft.changes()]
    asyncio.run(open_shell.run("echo mine > test", 20))
    assert "test" in [change.path for change in draft.changes()]
