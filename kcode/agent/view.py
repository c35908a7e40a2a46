"""The view that tools work through: the session's draft, and commands over it in the sandbox."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.agent.files import DraftFiles
from kcode.agent.untouched import Untouched
from kcode.context.secretfiles import NONE_ALLOWED
from kcode.draft.draft import backend_of, open_draft
from kcode.errors import DraftError, ToolError
from kcode.sandbox import Rung

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kcode.agent.partial import PartialTests
    from kcode.agent.shell import Shell
    from kcode.context.secretfiles import Allowed
    from kcode.draft.draft import Draft
    from kcode.results import CommandResult, TestReport
    from kcode.safegit import SafeGit
    from kcode.session.store import Session
    from kcode.workspace import Workspace


class DraftView(DraftFiles):
    """Implements kcode.tooling.View over one session's draft. `shell` is None where no command will be run."""

    def __init__(
        self,
        workspace: Workspace,
        git: SafeGit,
        session: Session,
        shell: Shell | None,
        environment: Mapping[str, str],
        allowed: Allowed = NONE_ALLOWED,
    ) -> None:
        super().__init__(workspace, git, session.outputs_folder, environment, allowed)
        self.shell = shell
        self.untouched = Untouched()
        self._told_left: set[str] = set()
        self._git = git
        # A question proposes nothing, so it leaves no draft behind that would count as the last session's.
        self._folder = session.draft_folder if shell else session.folder / "reading"
        self._session_folder = session.folder
        self._opening: asyncio.Task[Draft] | None = None
        self.began_draft = False
        """Whether the draft was begun by this view, and not left there by an earlier run."""

    def reopen(self) -> None:
        """Open the draft of an earlier run, if there is one: what it proposes is at hand before commands can run.

        Raises DraftError when it cannot be read.
        """
        if self.shell is not None and self._folder.is_dir():
            self._draft = self.shell.draft = open_draft(self._workspace, self._git, self._folder)

    @property
    def on_output(self) -> Callable[[str], None] | None:
        return self.shell.on_output if self.shell else None

    @on_output.setter
    def on_output(self, receive: Callable[[str], None] | None) -> None:
        if self.shell:
            self.shell.on_output = receive

    @property
    def call(self) -> str:
        return self._draft.versions.call if self._draft else ""

    @call.setter
    def call(self, identity: str) -> None:
        # No call runs before the draft is open.
        if self._draft:
            self._draft.versions.call = identity

    @property
    def is_open(self) -> bool:
        return self._draft is not None

    @property
    def is_confined(self) -> bool:
        """Whether commands run in a sandbox; True also before it is known."""
        sandbox = self.shell.sandbox if self.shell else None
        return sandbox is None or sandbox.rung is not Rung.UNISOLATED

    async def ready(self) -> None:
        """Return once the draft is open and commands can run; the first call starts that, the others wait for it."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        self._draft = await asyncio.shield(self._opening)

    async def _open(self) -> Draft:
        known = backend_of(self._folder)
        overlay = await self.shell.open(known) if self.shell else True
        if self._draft is None or backend_of(self._folder) != ("overlay" if overlay else "copy"):
            self.began_draft = known is None
            draft = open_draft(self._workspace, self._git, self._folder, "overlay" if overlay else "copy")
        else:
            draft = self._draft
        if self.shell:
            self.shell.draft = draft
        return draft

    async def aclose(self) -> None:
        """End the opening if it is still under way."""
        if self._opening is not None and not self._opening.done():
            self._opening.cancel()
            await asyncio.wait([self._opening])

    def ignored_edits(self, proposed: Collection[str]) -> list[str]:
        """What the tools changed, but for what is proposed, and git ignores: it will never be proposed. Sorted."""
        return sorted(path for path in self._touched.difference(proposed) if self.draft.is_ignored(path))

    async def run(self, command: str, seconds: float) -> CommandResult:
        result = await self._commands().run(command, seconds)
        self._note(*result.changed)
        return self._masked(result)

    async def run_tests(self, target: str, seconds: float) -> TestReport:
        report = await self.test_draft(target, seconds)
        is_whole, is_changed = self._commands().tests_all(target), bool(self.draft.changes())
        report = await self.untouched.compare(self.partial_tests, report, is_whole=is_whole, is_changed=is_changed)
        self.draft.versions.note_tests(report, is_chosen=not is_whole)
        # Once is enough: each run of the tests may leave the same files.
        fresh = tuple(path for path in report.result.left if path not in self._told_left)
        self._told_left.update(fresh)
        return replace(report, result=replace(report.result, left=fresh))

    def _masked(self, result: CommandResult) -> CommandResult:
        return replace(result, output=self.masked(result.output))

    def masked(self, output: str) -> str:
        """The output as the model may see it."""
        return self._secrecy.mask(output)

    async def test_draft(self, target: str, seconds: float) -> TestReport:
        """The same without a look at what failed before."""
        report = await self._commands().run_tests(target, seconds)
        self._note(*report.result.changed)
        mask = self._secrecy.mask
        failures = [replace(one, detail=mask(one.detail), cause=mask(one.cause)) for one in report.failures]
        return replace(report, result=self._masked(report.result), failures=tuple(failures))

    def partial_tests(self) -> PartialTests:
        """Tests over parts of what the draft proposes, in drafts of their own; to be had once this view is ready."""
        shell = self._commands()
        if shell.sandbox is None:
            raise DraftError("The draft is not open yet.")
        from kcode.agent.partial import PartialTests  # noqa: PLC0415 - not needed before the first request has left

        return PartialTests(self._workspace, self._git, self._session_folder, shell.sandbox, shell.test_command)

    def _commands(self) -> Shell:
        if self.shell is None:
            raise ToolError("Commands cannot be run here: this is a question, answered by reading alone.")
        return self.shell
