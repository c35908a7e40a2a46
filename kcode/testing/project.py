"""What a test runner is chosen by: the project's files, the target, and the runner that came of it."""

from __future__ import annotations

import posixpath
import shlex
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from kcode.errors import ToolError
from kcode.nearest import nearest_paths

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# The folder that a run may write its report to, as the command in the sandbox sees it.
REPORTS = '"${KCODE_REPORT:-/tmp/kcode-report}"'
# Behind a command that runs all tests whatever the target.
NO_TARGET = " (all tests: it takes no target)"
Reading = Literal["text", "junit", "go"]
# A folder that holds one of these is a project of its own.
MARKS = (
    "package.json", "Cargo.toml", "go.mod", "pom.xml", "build.gradle", "build.gradle.kts", "pyproject.toml", "setup.py",
    "pytest.ini", "mix.exs", "Gemfile", "composer.json", "deno.json", "deno.jsonc", "manage.py",
)  # fmt: skip


@dataclass(frozen=True)
class Project:
    """A folder of the workspace, seen from inside: `files` and what `read` takes are relative to it.

    `folder` is its path from the workspace, "" for the whole. `read` gives None for what is no readable file.
    """

    files: Sequence[str]
    read: Callable[[str], bytes | None]
    folder: str = ""

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.files)

    @cached_property
    def folders(self) -> frozenset[str]:
        found: set[str] = set()
        for file in self.files:
            folder = posixpath.dirname(file)
            while folder and folder not in found:
                found.add(folder)
                folder = posixpath.dirname(folder)
        return frozenset(found)

    @cached_property
    def own_files(self) -> tuple[str, ...]:
        """The files that stand in no sub-folder that is a project of its own."""
        nested = tuple(f"{folder}/" for folder in sorted(self.folders) if self.holds_project(folder))
        return tuple(file for file in self.files if not file.startswith(nested))

    def holds_project(self, folder: str) -> bool:
        return any(f"{folder}/{mark}" in self.names for mark in MARKS)

    def text(self, path: str) -> str:
        """The file's text, "" when it is not there."""
        data = self.read(path) if path in self.names else None
        return (data or b"").decode("utf-8", "replace")

    def inside(self, folder: str) -> Project:
        """The same, seen from one of its folders."""
        if not folder:
            return self
        prefix = f"{folder}/"
        files = [file.removeprefix(prefix) for file in self.files if file.startswith(prefix)]
        return Project(files, lambda path: self.read(prefix + path), posixpath.join(self.folder, folder))


@dataclass(frozen=True, slots=True)
class Target:
    """What to run: all tests when both are empty. `path` is a file or folder of the project, `name` what is in it.

    Names that were nested, as `TestA::test_b`, are joined by "::".
    """

    path: str = ""
    name: str = ""

    @property
    def is_all(self) -> bool:
        return not self.path and not self.name

    @property
    def last_name(self) -> str:
        return self.name.rpartition("::")[2]

    def inside(self, folder: str) -> Target:
        """The same, seen from a folder that is above the path or is it."""
        if not folder or not self.path:
            return self
        return replace(self, path="" if self.path == folder else self.path.removeprefix(f"{folder}/"))


@dataclass(frozen=True, slots=True)
class Runner:
    """A way to run tests: `command` for sh, in the workspace's root; `shown` says it to people and to the model.

    `reading` tells how to read what it gave: "junit" and "go" also from the file `report` in the folder REPORTS.
    With `announces`, the first line printed is `+ ` and what is run, for what only the command itself finds out.
    """

    name: str
    command: str
    shown: str
    reading: Reading = "text"
    announces: bool = False

    @property
    def report(self) -> str | None:
        return {"junit": "junit.xml", "go": "go.json"}.get(self.reading)


def find_target(project: Project, target: str) -> Target:
    """Read the target as the model wrote it: a path, `path::name`, a dotted module or a bare name."""
    whole = target.strip().removeprefix("./").rstrip("/")
    path, _, name = whole.partition("::")
    path = posixpath.normpath(path) if path else ""
    if path in {"", "."}:
        return Target(name=name)
    if path in project.names or path in project.folders:
        return Target(path, name)
    if path.replace(".", "").replace("_", "").isalnum() and "." in path:
        words = path.split(".")
        for count in range(len(words), 0, -1):
            module = "/".join(words[:count])
            file = f"{module}.py"
            if file in project.names:
                return Target(file, "::".join([*words[count:], *([name] if name else [])]))
            if count == len(words) and module in project.folders:
                return Target(module, name)
    looks_like_a_path = "/" in path and " " not in path
    if looks_like_a_path or posixpath.splitext(path)[1] in {".py", ".js", ".ts", ".rs", ".go", ".rb", ".java"}:
        near = nearest_paths(path, project.files)
        hint = f"Did you mean {' or '.join(near)}?" if near else "Leave target empty to run all tests."
        raise ToolError(f"There is no test file or folder {path!r}. {hint}")
    return Target(name=whole)


def quote(*words: str) -> str:
    return " ".join(shlex.quote(word) for word in words if word)


def in_folder(project: Project, command: str) -> str:
    """The command as it is run and shown from the workspace's root."""
    return f"cd {quote(project.folder)} && {command}" if project.folder else command
