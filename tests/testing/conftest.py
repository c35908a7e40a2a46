"""Real runs of a project's tests: the command in its folder, the report read back from a folder beside it."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from kcode.results import CommandEnd, CommandResult
from kcode.testing import Project, run_project_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kcode.results import TestReport

    Test = Callable[..., TestReport]
    Make = Callable[[Mapping[str, str]], Project]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make a project of these files and texts under tmp_path/work."""

    def make(texts: Mapping[str, str]) -> Project:
        root = tmp_path / "work"
        for name, text in texts.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        return Project(sorted(texts), lambda path: (root / path).read_bytes())

    return make


@pytest.fixture
def test(tmp_path: Path) -> Test:
    """Run a project's tests for real, as `test(project, target="x", custom="make test")`."""

    async def run(command: str, seconds: float, report: str | None) -> tuple[CommandResult, bytes | None]:
        reports = tmp_path / "reports"
        reports.mkdir(exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
        begin = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            command,
            cwd=tmp_path / "work",
            env=environment | {"KCODE_REPORT": str(reports)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await asyncio.wait_for(process.communicate(), seconds)
        result = CommandResult(process.returncode or 0, output.decode(), CommandEnd.EXITED, time.monotonic() - begin)
        file = reports / (report or "none")
        return result, file.read_bytes() if file.is_file() else None

    def test(
        project: Project,
        *,
        target: str = "",
        custom: str | None = None,
        interpreters: tuple[str, ...] = (sys.executable,),
    ) -> TestReport:
        return asyncio.run(
            run_project_tests(project, run, target=target, seconds=120, custom=custom, interpreters=interpreters)
        )

    return test
