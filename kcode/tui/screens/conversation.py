"""The conversation: what the user types, and the keys that work everywhere in it."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from textual import on

from kcode.commands.table import unknown_command, unknown_command_in
from kcode.errors import SessionInUseError
from kcode.tui.doing import learn_workspace, resend, run_command, run_shell, view_outside
from kcode.tui.front import ScreenFront
from kcode.tui.history import Typed
from kcode.tui.keys import bindings_for
from kcode.tui.notopened import tell_not_opened
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
# What the user may want of a session that another process works in.
_OF_A_SESSION = frozenset({"fork", "rename", "review", "diff", "apply", "undo", "redo", "test", "compact", "context"})


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
        # When leaving was asked for, and how many keys had been pressed by then.
        self._asked: tuple[float, int] | None = None

    def on_opened(self) -> None:
        run_beside(self, partial(learn_workspace, self), group="learning")

    def say(self, words: str, prompt: str | None = None, shown: str | None = None) -> None:
        """Have a turn about this, or have the running one hear it before its next request."""
        self._asked = None
        self.aside.drop_remark()
        self.transcript.add_user(shown or words, queued=self.running, words=words)
        self.count_waiting()
        if self.running and prompt is None:
            self.kcode.talk.steer(words)
        else:
            self.kcode.talk.say(prompt or words, words)
        self.running = True

    def _turns_away(self, text: str) -> bool:
        """Whether this cannot be taken now: then it is said why, and the text stands in the composer again."""
        reason = str(self.not_opened or "")
        if (name := unknown_command_in(text)) is not None:
            reason = str(unknown_command(name, [one.name for one in self.source.commands()]))
        elif not reason and not self.kcode.has_session:
            reason = self.texts("commands.not_open")
        if reason:
            self.query_one(Composer).put(Typed(text))
            if self.not_opened is None:
                self.remark(reason)
            else:
                run_beside(self, partial(tell_not_opened, self.kcode, self.not_opened), group="screens")
        return bool(reason)

    @on(Composer.Submitted)
    def _submitted(self, event: Composer.Submitted) -> None:
        if self._turns_away(event.text):
            return
        at = self._fork_at
        self._change_message(None)
        if at is None:
            self.say(event.text, shown=event.shown)
        else:
            run_beside(self, partial(resend, self, event.text, at), group="commands")

    @on(Composer.CommandEntered)
    def _command(self, event: Composer.CommandEntered) -> None:
        if isinstance(self.not_opened, SessionInUseError) and event.name in _OF_A_SESSION:
            run_beside(self, partial(tell_not_opened, self.kcode, self.not_opened), group="screens")
        else:
            run_beside(self, partial(run_command, self, event.name, event.words), group="commands")

    @on(Composer.ShellEntered)
    def _shell(self, event: Composer.ShellEntered) -> None:
        if self._turns_away(f"!{event.command}"):
            return
        run_shell(self, event.command)

    @on(Composer.Interrupted)
    def _interrupted(self) -> None:
        """One step back: from what was said last, from changing a message, out of the turn."""
        if self.aside.has_remark:
            self.aside.drop_remark()
        elif self._fork_at is not None:
            self.query_one(Composer).give_up()
            self._change_message(None)
        elif self.running:
            self.kcode.talk.interrupt()

    @on(Composer.Ended)
    def _ended(self) -> None:
        if self._is_leaving or not self.running:
            self.kcode.leave()
        else:
            self._ask_again()

    def _change_message(self, turn: int | None) -> None:
        """What is typed takes this turn's place, counted from 1, in a fork; None is for no turn's."""
        self._fork_at = turn
        self.aside.set_mode(self.texts("app.edit_forks", turn=turn) if turn is not None else "")

    @on(Composer.QueuePopped)
    async def _queue_popped(self) -> None:
        composer = self.query_one(Composer)
        if (words := await self.kcode.talk.take_back()) is not None:
            self.transcript.unqueue(words)
            self.count_waiting()
            composer.put(Typed(words))

    def on_transcript_edit_requested(self, event: Transcript.EditRequested) -> None:
        if self.running:
            self.remark(self.texts("commands.turn_runs"))
            return
        self._change_message(event.message_index + 1)
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
            composer.give_up()
            self._change_message(None)
        elif self._is_leaving:
            self.kcode.leave()
        elif self.running:
            self.kcode.talk.interrupt()
        else:
            self._ask_again()

    @property
    def _is_leaving(self) -> bool:
        """Whether the key before this one asked to leave."""
        if self._asked is None:
            return False
        when, pressed = self._asked
        return monotonic() - when < _AGAIN_SECONDS and self.kcode.pressed <= pressed + 1

    def _ask_again(self) -> None:
        """Have the user press once more, if they want to leave."""
        self._asked = monotonic(), self.kcode.pressed
        self.remark(self.texts("app.leave_again"), seconds=_AGAIN_SECONDS)
