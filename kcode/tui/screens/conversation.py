"""The conversation: what the user types, and the keys that work everywhere in it."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on

from kcode.commands.table import unknown_command, unknown_command_in
from kcode.tui.doing import learn_workspace, resend, run_command, run_shell, view_outside
from kcode.tui.front import ScreenFront
from kcode.tui.history import Typed
from kcode.tui.keys import bindings_for
from kcode.tui.opening import open_screen
from kcode.tui.screens.reaching import ReachingScreen
from kcode.tui.widgets.composer import Composer
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.binding import BindingType

    from kcode.commands.front import Shown
    from kcode.tui.preferences import Preferences
    from kcode.tui.texts import Texts
    from kcode.tui.widgets.transcript import Transcript

# To leave, Ctrl-C is pressed twice within so long.
_AGAIN_SECONDS = 3.0


class ConversationScreen(ReachingScreen):
    """One session, to be talked in."""

    BINDINGS: ClassVar[list[BindingType]] = bindings_for("app")

    def __init__(
        self,
        texts: Texts,
        preferences: Preferences,
        resumed: str | None = None,
        words: str = "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        super().__init__(texts, preferences, resumed, words, clock)
        self.front = ScreenFront(self)
        self._fork_at: int | None = None
        self._warned = -_AGAIN_SECONDS

    def on_opened(self) -> None:
        run_beside(self, partial(learn_workspace, self), group="learning")

    def say(self, words: str, prompt: str | None = None, shown: str | None = None) -> None:
        """Have a turn about this, or have the running one hear it before its next request."""
        self.transcript.add_user(shown or words, queued=self.running, words=words)
        self.count_waiting()
        if self.running and prompt is None:
            self.kcode.talk.steer(words)
        else:
            self.kcode.talk.say(prompt or words, words)
        self.running = True

    def _turns_away(self, text: str) -> bool:
        """Whether this cannot be taken now: then it is said why, and the text stands in the composer again."""
        reason = self.refusal
        if (name := unknown_command_in(text)) is not None:
            reason = str(unknown_command(name, [one.name for one in self.source.commands()]))
        elif not reason and not self.kcode.has_session:
            reason = self.texts("commands.not_open")
        if reason:
            self.query_one(Composer).put(Typed(text))
            self.front.tell(reason, "warning")
        return bool(reason)

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if self._turns_away(event.text):
            return
        at, self._fork_at = self._fork_at, None
        if at is None:
            self.say(event.text, shown=event.shown)
        else:
            run_beside(self, partial(resend, self, event.text, at), group="commands")

    @on(Composer.CommandEntered)
    def _command(self, event: Composer.CommandEntered) -> None:
        run_beside(self, partial(run_command, self, event.name, event.words), group="commands")

    @on(Composer.ShellEntered)
    def _shell(self, event: Composer.ShellEntered) -> None:
        if self._turns_away(f"!{event.command}"):
            return
        run_shell(self, event.command)

    @on(Composer.Interrupted)
    def _interrupted(self) -> None:
        self._fork_at = None
        if self.running:
            self.kcode.talk.interrupt()

    @on(Composer.QueuePopped)
    async def _queue_popped(self) -> None:
        composer = self.query_one(Composer)
        if (words := await self.kcode.talk.take_back()) is not None:
            self.transcript.unqueue(words)
            self.count_waiting()
            composer.put(Typed(words))

    def on_transcript_edit_requested(self, event: Transcript.EditRequested) -> None:
        if self.running:
            self.front.tell(self.texts("commands.turn_runs"), "warning")
            return
        self._fork_at = event.message_index + 1
        self.front.tell(self.texts("app.edit_forks"))
        composer = self.query_one(Composer)
        composer.put(Typed(event.text))
        composer.focus()

    def on_transcript_copied(self, event: Transcript.Copied) -> None:
        self.front.copy(event.text)

    def on_transcript_link_followed(self, event: Transcript.LinkFollowed) -> None:
        self.front.copy(event.address)
        self.front.tell(self.texts("app.link_copied", address=event.address))

    def on_transcript_open_requested(self, event: Transcript.OpenRequested) -> None:
        view_outside(self, event.text, event.name)

    def on_draft_bar_pressed(self) -> None:
        self.action_open("review")

    def action_open(self, which: Shown) -> None:
        """Show one of the other screens."""
        run_beside(self, partial(open_screen, self, which), group="screens", exclusive=True)

    def action_leave(self) -> None:
        """Copy what is selected, empty the line, interrupt the turn, or leave; to leave it takes two."""
        composer = self.query_one(Composer)
        if selected := self.get_selected_text():
            self.front.copy(selected)
            self.clear_selection()
        elif composer.text:
            composer.put(Typed(""))
        elif monotonic() - self._warned < _AGAIN_SECONDS:
            self.kcode.leave()
        else:
            self._warned = monotonic()
            if self.running:
                self.kcode.talk.interrupt()
            self.front.tell(self.texts("app.leave_again"))
