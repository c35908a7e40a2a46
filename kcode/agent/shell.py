"""Commands and tests over the session's draft, in the sandbox."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.draft.baseline import BY_TESTS
from kcode.errors import DraftError, NoSandboxError
from kcode.folders import make_folder
from kcode.sandbox import UNISOLATED, Limits, Rung, find_sandbox, run_command
from kcode.testing.project import Project
from kcode.testing.run import python_interpreters, run_project_tests

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kcode.draft.draft import Backend, Draft
    from kcode.results import CommandResult, TestReport
    from kcode.sandbox import Sandbox
    from kcode.workspace import Workspace

TITLE_WIDTH = 60
# Where tool chains are installed that do not lie at their usual place; none of these holds a secret.
TOOL_CHAINS = (
    *("ANDROID_HOME", "CARGO_HOME", "CONDA_PREFIX", "DOTNET_ROOT", "GEM_HOME", "GEM_PATH", "GOPATH", "GOROOT"),
    *("GRADLE_HOME", "JAVA_HOME", "LD_LIBRARY_PATH", "MAVEN_HOME", "NODE_PATH", "NVM_DIR", "PKG_CONFIG_PATH"),
    *("PYENV_ROOT", "PYTHONPATH", "RBENV_ROOT", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "SDKROOT"),
)
BIGGEST_REPORT = 64 << 20


class Shell:
    """Runs one command at a time over the draft, which whoever opened the shell puts in `draft`.

    `folder` is kcode's own, for what the shell itself keeps; in `outputs` long outputs stay whole.
    """

    def __init__(
        self,
        workspace: Workspace,
        folder: Path,
        outputs: Path,
        test_command: str | None,
        environment: Mapping[str, str],
        *,
        isolate: bool = True,
    ) -> None:
        self.on_output: Callable[[str], None] | None = None
        self.draft: Draft | None = None
        self.sandbox: Sandbox | None = None
        self._workspace, self._folder, self._outputs = workspace, folder, outputs
        self.test_command, self._environment, self._isolate = test_command, environment, isolate
        self._tests: tuple[int, TestReport] | None = None
        # What an earlier run of the session kept of its commands stays: the conversation names it.
        self._count = last_number(outputs)

    async def open(self, backend: Backend | None = None) -> bool:
        """Find out how commands can be isolated here; True when the draft is to be an overlay.

        `backend` is that of a draft that is there already. Raises NoSandboxError when commands cannot be isolated and
        the user did not say that they may run without.
        """
        self.sandbox = await choose_sandbox(
            self._folder, self._workspace.root, self._environment, isolate=self._isolate
        )
        if backend == "copy":
            self.sandbox = self.sandbox.over_folders()
        return self.sandbox.overlay

    async def run(self, command: str, seconds: float) -> CommandResult:
        """Run a shell command; what it changed is in the result and, by the command's name, in the draft."""
        title = " ".join(command.split())
        by = f"`{title[:TITLE_WIDTH]}{'…' if len(title) > TITLE_WIDTH else ''}`"
        return await self._run(command, seconds, by)

    async def run_tests(self, target: str, seconds: float) -> TestReport:
        """Run the project's tests, or those of `target`; ToolError when no way to run them is found."""
        draft, reports = self._open_draft(), make_folder(self._folder / f"report-{self._count + 1:03}")

        async def run(command: str, limit: float, report: str | None) -> tuple[CommandResult, bytes | None]:
            written = reports / report if report else None
            result = await self._run(command, limit, BY_TESTS, reports)
            return result, _read_report(written) if written else None

        def read(path: str) -> bytes | None:
            state = draft.read(path)
            return None if state is None else state.data

        report = await run_project_tests(
            Project(draft.files(), read),
            run,
            target=target,
            seconds=seconds,
            custom=self.test_command,
            interpreters=python_interpreters(self._environment),
        )
        if self.tests_all(target):
            self._tests = (draft.generation, report)
            draft.versions.note_tests(report)
        return report

    def tests_all(self, target: str) -> bool:
        """Whether a run with this target is one of all tests: chosen ones prove nothing about the others."""
        # The user's own command is always run whole.
        return self.test_command is not None or target.strip() in {"", ".", "./"}

    def fresh_tests(self) -> TestReport | None:
        """The last run of all tests, if the draft is still what it ran over."""
        draft = self.draft
        return self._tests[1] if self._tests and draft and self._tests[0] == draft.generation else None

    async def _run(self, command: str, seconds: float, by: str, reports: Path | None = None) -> CommandResult:
        draft = self._open_draft()
        assert self.sandbox is not None  # opened before the draft
        self._count += 1
        outputs = make_folder(self._outputs)
        mount = draft.mount()
        if self.sandbox.rung in {Rung.UNISOLATED, Rung.SEATBELT}:
            draft.layers.link_ignored()
        try:
            result = await run_command(
                self.sandbox,
                mount,
                ["/bin/sh", "-c", command],
                limits=Limits(seconds=seconds),
                environment=environment_for(self._workspace.root, self._environment),
                passed_names=TOOL_CHAINS,
                outputs=outputs,
                output_file=outputs / f"{self._count:03}.txt",
                reports=reports,
                on_output=self.on_output,
            )
        finally:
            # What an interrupted command wrote is there as well, so it is taken into account in any case.
            changed = draft.settle(by)
        left = set(draft.left_out.by_tests).intersection(changed) if changed and by == BY_TESTS else set()
        return replace(result, changed=tuple(path for path in changed if path not in left), left=tuple(sorted(left)))

    def _open_draft(self) -> Draft:
        if self.draft is None:
            raise DraftError("The draft is not open yet.")
        return self.draft


async def choose_sandbox(folder: Path, root: Path, environment: Mapping[str, str], *, isolate: bool) -> Sandbox:
    """The best isolation that works here for drafts in `folder`, or none where `isolate` is False and none works.

    Raises NoSandboxError when commands cannot be isolated and the user did not say that they may run without.
    """
    sandbox = await find_sandbox(make_folder(folder / "probe"), root, environment)
    if sandbox.rung is not Rung.NONE:
        return sandbox
    if isolate:
        reasons = "\n".join(f"- {reason}" for reason in sandbox.reasons)
        raise NoSandboxError(
            f"Commands cannot be isolated on this machine, so none is run:\n{reasons}\n"
            "Install bubblewrap, or pass --no-sandbox to run the project's tests with all your rights."
        )
    return replace(UNISOLATED, reasons=sandbox.reasons)


def environment_for(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """The user's environment with the project's own virtual environment, if it has one, as an activated one is."""
    for name in (".venv", "venv"):
        bin_folder = root / name / "bin"
        if os.path.lexists(bin_folder / "python"):
            path = environment.get("PATH", "")
            return {**environment, "VIRTUAL_ENV": str(root / name), "PATH": f"{bin_folder}:{path}"}
    return dict(environment)


def last_number(outputs: Path) -> int:
    """The highest number of an output that is kept in the folder; 0 for none."""
    try:
        names = [path.stem for path in outputs.iterdir()]
    except OSError:
        return 0
    return max((int(name) for name in names if name.isascii() and name.isdigit()), default=0)


def _read_report(path: Path) -> bytes | None:
    """The report that a test runner wrote: from the sandbox, so neither its kind nor its size is taken on trust."""
    try:
        found = path.lstat()
        return path.read_bytes() if stat.S_ISREG(found.st_mode) and found.st_size <= BIGGEST_REPORT else None
    except OSError:
        return None
