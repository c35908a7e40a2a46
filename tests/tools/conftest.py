"""A view over a plain folder, for tests of the tools: real files, real searches, real commands."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest

from kcode.context.search import Query, Searched, search_files
from kcode.context.symbols import definitions
from kcode.draft.edit import apply_edits
from kcode.share import shared
from kcode.testing import Project, run_project_tests
from kcode.tooling import CommandEnd, CommandResult, Entry, Tool, ToolError, ToolResult, load_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kcode.tooling import Applied, Definition, Edit, Match, TestReport

    Use = Callable[..., ToolResult]


class FolderView:
    """Implements kcode.tooling.View; a file whose name ends with `.ignored` stands for what git ignores."""

    def __init__(self, folder: Path, outputs: Path) -> None:
        self._folder, self._outputs = folder, outputs
        self.shown: list[tuple[str, int, int, int]] = []
        self.command_results: list[CommandResult] = []
        self.test_reports: list[TestReport] = []

    @property
    def root(self) -> str:
        return str(self._folder)

    def relative(self, path: str) -> str:
        whole = (self._folder / path).resolve()
        if not whole.is_relative_to(self._folder) or ".git" in PurePosixPath(path).parts:
            raise ToolError(f"{path} is outside the workspace.")
        found = whole.relative_to(self._folder).as_posix()
        return "" if found == "." else found

    def entry(self, path: str) -> Entry | None:
        file = self._folder / self.relative(path)
        if not file.exists():
            return None
        if file.is_dir():
            return Entry(path, "folder")
        return Entry(path, "file", file.stat().st_size)

    def read(self, path: str) -> bytes:
        if path.startswith("/tmp/kcode-output/"):
            return (self._outputs / path.rpartition("/")[2]).read_bytes()
        return (self._folder / self.relative(path)).read_bytes()

    def entries(self, path: str) -> list[Entry]:
        folder = self._folder / self.relative(path)
        names = sorted(child.relative_to(self._folder).as_posix() for child in folder.iterdir())
        return [entry for name in names if (entry := self.entry(name)) is not None]

    def files(self, path: str = "") -> list[str]:
        found = (file for file in (self._folder / path).rglob("*") if file.is_file() and file.suffix != ".ignored")
        return sorted(file.relative_to(self._folder).as_posix() for file in found)

    def write(self, path: str, data: bytes) -> None:
        file = self._folder / self.relative(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def note_shown(self, path: str, data: bytes, first: int, last: int) -> None:
        self.shown.append((path, len(data), first, last))

    def edit(self, path: str, edits: Sequence[Edit]) -> Applied:
        applied = apply_edits(self.read(path), edits)
        self.write(path, applied.after)
        return applied

    def move(self, source: str, target: str) -> None:
        self.write(target, self.read(source))
        self.delete(source)

    def delete(self, path: str) -> None:
        (self._folder / self.relative(path)).unlink()

    def definitions(self, path: str) -> list[Definition] | None:
        return definitions(path, self.read(path))

    async def search(
        self, pattern: str, path: str, glob: str, *, ignore_case: bool, context: int, limit: int
    ) -> tuple[list[Match], bool]:
        query = Query(pattern, self.relative(path), glob, ignore_case, context, limit)
        return await search_files(query, Searched(self._folder, self.files, {}), None)

    async def run(self, command: str, seconds: float) -> CommandResult:
        if self.command_results:
            return self.command_results.pop(0)
        begin = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", command, cwd=self._folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
        return CommandResult(process.returncode or 0, output.decode(), CommandEnd.EXITED, time.monotonic() - begin)

    async def run_tests(self, target: str, seconds: float) -> TestReport:
        if self.test_reports:
            return self.test_reports.pop(0)

        async def run(command: str, limit: float, _report: str | None) -> tuple[CommandResult, bytes | None]:
            return await self.run(command, limit), None

        project = Project(self.files(), self.read)
        return await run_project_tests(project, run, target=target, seconds=seconds)


@pytest.fixture(scope="session")
def tools() -> dict[str, Tool]:
    return load_tools([shared("tools")])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def view(folder: Path, tmp_path: Path) -> FolderView:
    return FolderView(folder, tmp_path / "outputs")


@pytest.fixture
def use(tools: dict[str, Tool], view: FolderView) -> Use:
    """Call a tool by its name, as `use("read_file", path="a.py")`."""

    async def call(name: str, arguments: dict[str, Any]) -> ToolResult:
        return await tools[name].function(view, **arguments)

    return lambda name, **arguments: asyncio.run(call(name, arguments))
