"""No tool shows the model a file that looks as if it held secrets, however it is asked."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

import pytest

from kcode.agent.files import DraftFiles
from kcode.agent.shell import Shell
from kcode.agent.view import DraftView
from kcode.context.secretfiles import allow_files
from kcode.draft.draft import open_draft
from kcode.errors import KcodeError
from kcode.safegit import open_git
from kcode.sandbox import UNISOLATED
from kcode.session.store import Session
from kcode.share import shared
from kcode.tooling import load_tools
from kcode.workspace import open_workspace
from tests.context.test_secretfiles import KEY
from tests.repositories import new_repository

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Use = Callable[..., str]

ENV = "DATABASE_PASSWORD=hush-hush\n"


@pytest.fixture(params=["ripgrep", "python"])
def use(tmp_path: Path, request: pytest.FixtureRequest) -> Use:
    """Call a tool over one draft and give what the model reads, a refusal as well."""
    return open_tools(tmp_path, is_python=request.param == "python")


def open_tools(tmp_path: Path, *, is_python: bool = False, allowed: tuple[str, ...] = ()) -> Use:
    files: dict[str, str | bytes] = {".gitignore": ".env\n", "a.py": "password = hush('x')\n", "tls/server.pem": "hush"}
    files |= {".env.example": "DATABASE_PASSWORD=\n", "deploy.txt": KEY + b"hush\n", ".npmrc": "save-exact=true\n"}
    files |= {".kcodeignore": "big/\n", "big/a.txt": "hush in big\n", "conf/.env.prod": ENV}
    root = new_repository(tmp_path / "r", files)
    (root / ".env").write_text(ENV)
    (root / "link.txt").symlink_to(".env")
    (root / "folder").symlink_to("conf")
    workspace = open_workspace(root, {"HOME": str(tmp_path)})
    git = open_git(workspace, tmp_path / "state")
    view = DraftFiles(workspace, git, tmp_path / "outputs", {}, allow_files(allowed))
    view._draft = open_draft(workspace, git, tmp_path / "state/draft", "overlay")
    if is_python:
        view.__dict__["_ripgrep"] = None
    tools: dict[str, Any] = load_tools([shared("tools")])

    def call(name: str, **arguments: Any) -> str:
        try:
            return str(asyncio.run(tools[name].function(view, **arguments)).text)
        except KcodeError as error:
            return str(error)

    return call


@pytest.mark.parametrize(
    "path", [".env", "./conf/../.env", "link.txt", "folder/.env.prod", "tls/server.pem", "deploy.txt"]
)
@pytest.mark.parametrize("tool", ["read_file", "outline", "search"])
def test_it_is_refused_with_what_to_do_instead(use: Use, tool: str, path: str) -> None:
    more = {"pattern": "hush|KEY"} if tool == "search" else {}
    text = use(tool, path=path, **more)
    assert "hush" not in text.replace("'hush|KEY'", "")
    assert "looks like a file that holds passwords or keys" in text or "No line matches" in text


def test_a_search_of_everything_passes_over_it_and_over_what_is_ignored(use: Use) -> None:
    text = use("search", pattern="hush|MIIE")
    assert text.startswith("1 match in 1 file:\na.py\n")
    assert "big in" not in use("search", pattern="in big")
    assert "1: hush in big" in use("search", pattern="in big", path="big")


def test_it_cannot_be_moved_edited_or_written_over_and_a_copy_is_known(use: Use) -> None:
    assert "was not moved" in use("move_file", source=".env", target="x.txt")
    edits = [{"old": "hush-hush", "new": "x"}]
    assert "looks like a file that holds passwords" in use("edit_file", path=".env", edits=edits)
    assert "looks like a file that holds passwords" in use("write_file", path=".env", content="x\n")
    use("write_file", path="copy.txt", content=ENV + "\n")
    assert "looks like a file that holds passwords" in use("read_file", path="copy.txt")


def test_examples_and_settings_without_a_secret_are_shown(use: Use) -> None:
    assert "DATABASE_PASSWORD=" in use("read_file", path=".env.example")
    assert "save-exact" in use("read_file", path=".npmrc")
    files = use("list_files")
    assert "a.txt" not in files
    assert ".env.example" in files


def test_what_the_user_allows_is_read_searched_and_edited_and_nothing_else(tmp_path: Path) -> None:
    use = open_tools(tmp_path, allowed=(".env",))
    assert ENV.strip() in use("read_file", path=".env")
    assert "hush-hush" in use("read_file", path="link.txt")
    assert "1: DATABASE_PASSWORD=hush-hush" in use("search", pattern="hush-hush", path=".env")
    assert "looks like a file" not in use("edit_file", path=".env", edits=[{"old": "hush-hush", "new": "other"}])
    for path in ("conf/.env.prod", "tls/server.pem", "deploy.txt"):
        assert "looks like a file that holds passwords" in use("read_file", path=path)


def test_what_a_command_or_a_test_prints_of_it_is_masked(tmp_path: Path) -> None:
    check = "echo first; cat .env; exit 1"
    root = new_repository(tmp_path / "r", {".gitignore": ".env\n", ".env": ENV, "a.py": "x = 1\n"})
    workspace, environment = open_workspace(root, {"HOME": str(tmp_path)}), {"HOME": "/", "PATH": os.environ["PATH"]}
    git, session = open_git(workspace, tmp_path / "git"), Session("1", tmp_path / "session", root)
    shell = Shell(workspace, session.folder, session.outputs_folder, check, environment, isolate=False)
    shell.sandbox = UNISOLATED
    view = DraftView(workspace, git, session, shell, environment)
    view._draft = shell.draft = open_draft(workspace, git, session.draft_folder, "copy")
    # The command has the file: a project whose tests read it works.
    result = asyncio.run(view.run("wc -c < .env; cat .env", 20))
    assert result.output.split() == [str(len(ENV)), "DATABASE_PASSWORD=[kept", "back", "by", "kcode]"]
    report = asyncio.run(view.test_draft("", 20))
    assert "first" in report.result.output
    assert "hush" not in str(report)
    long = asyncio.run(view.run("for i in 1 2 3 4; do cat .env; head -c 20000 /dev/zero | tr '\\0' x; echo; done", 20))
    assert "hush" not in long.output
    assert long.output_name is not None
    whole = view.read(f"/tmp/kcode-output/{long.output_name.rpartition('/')[2]}")
    assert b"hush" not in whole
    assert whole.count(b"[kept back by kcode]") == 4
