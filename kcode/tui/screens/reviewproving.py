"""Testing what is accepted over the user's files, before anything of it is written."""

from __future__ import annotations

import asyncio
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from textual.message import Message

from kcode.draft.review import Decision
from kcode.errors import KcodeError, ToolError
from kcode.sanitize import sanitize, sanitize_line
from kcode.tui.diff.summary import count_hunks
from kcode.tui.diff.testlines import describe_report, explain_report
from kcode.tui.lines import Role, Span, plain, shorten
from kcode.tui.screens.reviewediting import EditingScreen
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from kcode.draft.review import Reviewed
    from kcode.results import TestReport
    from kcode.tui.backgroundtests import BackgroundTests

_CANCEL = "screen.cancel_test"


class ProvingScreen(EditingScreen):
    """One run at a time, which the user can end; its verdict stands as long as what it is about."""

    class Printed(Message):
        """The tests printed their first words."""

    _tests: BackgroundTests | None = None
    _verdict: tuple[frozenset[str], str, Role] | None = None
    _printed = ""
    _began = 0.0

    def action_test(self, pending: bool) -> None:
        """Run the tests over the user's files with what is accepted, and also with what is `pending`."""
        state = self.state
        if state is None:
            return
        if self._tests is not None:
            self.say(self.texts("review.tests_busy"), Role.WARNING, _CANCEL)
            return
        run_beside(self, partial(self._test, self._tested_keys(state.view, pending=pending)), group="test")

    @staticmethod
    def _tested_keys(view: Reviewed, *, pending: bool) -> frozenset[str]:
        keys = view.keys(Decision.ACCEPTED) | (view.keys(Decision.PENDING) if pending else frozenset())
        return keys - view.proposal.conflicts

    def say(self, text: str, role: Role = Role.TEXT, action: str = "") -> None:
        """As before; with nothing to say, what the tests said of what is accepted, as long as that is the same."""
        if not text and self._verdict is not None and self.state is not None:
            keys, verdict, its_role = self._verdict
            if keys in {self._tested_keys(self.state.view, pending=pending) for pending in (False, True)}:
                text, role = verdict, its_role
        super().say(text, role, action)

    async def _test(self, keys: frozenset[str]) -> None:
        what = count_hunks(len(keys), self.texts)
        ticking = None
        try:
            self._tests = tests = self.desk.tests(keys, self._take_output)
            running = "review.tests_running_bare" if self._is_confined is False else "review.tests_running"
            self.say(self.texts(running, hunks=what), Role.WARNING, _CANCEL)
            self._printed, self._began = "", monotonic()
            ticking = self.set_interval(1.0, self._show_progress)
            report = await asyncio.to_thread(tests.run)
        except ToolError as error:
            # The last words are for the model, which has a tool of that name.
            self.say(str(error).removesuffix(" Run them with run_command."), Role.BAD)
            return
        except KcodeError as error:
            self.say(str(error), Role.BAD)
            return
        finally:
            self._tests = None
            if ticking is not None:
                ticking.stop()
        self._tell_tests(report, keys, what)

    def _tell_tests(self, report: TestReport | None, keys: frozenset[str], what: str) -> None:
        if report is None:
            self.say(self.texts("review.tests_cancelled"), Role.WARNING)
            return
        said, role = f"{what}: {describe_report(report, self.texts)}", Role.GOOD if report.ok else Role.BAD
        self._verdict = keys, said, role
        self.say(said, role)
        if not report.ok:
            self._side = ""
            self.show_side("tests", explain_report(report, self.texts))

    def _take_output(self, text: str) -> None:
        """What the tests print, in their thread; the last line of it is shown."""
        line = text.rstrip().rpartition("\n")[2]
        if line:
            is_first, self._printed = not self._printed, line[-500:]
            if is_first:
                self.post_message(self.Printed())

    def on_proving_screen_printed(self) -> None:
        self._show_progress()

    def _show_progress(self) -> None:
        """How long the tests have run, how to end them, and what they printed last, in one row."""
        if self._tests is None:
            return
        said = self.texts("review.tests_progress", seconds=int(monotonic() - self._began))
        if self._printed:
            said += f" · {sanitize_line(sanitize(self._printed).rpartition('␍')[2])}"
        fitting = plain(shorten((Span(said),), max(self.size.width - 2, 10)))
        super().say(fitting, Role.DIM, _CANCEL)

    def action_cancel_test(self) -> None:
        if self._tests is not None:
            self._tests.cancel()

    def on_unmount(self) -> None:
        self.action_cancel_test()
