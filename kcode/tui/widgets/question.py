"""A question in the middle of the work, as a panel above the composer that never takes a key meant for something else."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from kcode.questions import ChooseModel, EnterKey, GoOn
from kcode.tui.columns import said, spread
from kcode.tui.lines import Role, Span
from kcode.tui.widgets.entryline import EntryLine
from kcode.tui.widgets.keybar import KeyBar, KeyHint
from kcode.tui.widgets.notice import Notice
from kcode.tui.widgets.patience import PATIENCE, until_quiet
from kcode.tui.widgets.rowlist import Row, RowList
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.events import Key
    from textual.widget import Widget

    from kcode.questions import Question
    from kcode.tui.texts import Texts

_HIGHEST = 8
_OTHER, _KEY, _STOP = "/other", "/key", "/stop"


@dataclass(frozen=True, slots=True)
class Confirm:
    """Something of the interface's own to be agreed to; the answer is "yes" or None. `yes` and `no` say what each does."""

    message: str
    yes: str
    no: str


@dataclass(frozen=True, slots=True)
class Pick:
    """Something of the interface's own to be chosen; the answer is a letter, each of which stands with what it does."""

    message: str
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer: its key in the list, the letter that gives it, its words."""

    key: str
    letter: str
    words: str


def choices_for(question: Question | Confirm | Pick, texts: Texts) -> list[Choice]:
    """What can be answered, the likeliest first; the last is to stop."""
    stop = Choice(_STOP, "n", texts("screens.question_stop"))
    match question:
        case ChooseModel(choices=names):
            numbered = [Choice(f"={name}", str(n) if n < 10 else "", name) for n, name in enumerate(names, 1)]
            return [*numbered, Choice(_OTHER, "", texts("screens.question_other")), stop]
        case EnterKey():
            return [Choice(_KEY, "", texts("screens.question_key")), stop]
        case GoOn():
            return [Choice("=yes", "y", texts("screens.question_go_on")), stop]
        case Confirm(yes=yes, no=no):
            return [Choice("=yes", "y", yes), Choice(_STOP, "n", no)]
        case Pick(choices=pairs):
            return [Choice(f"={letter}", letter, words) for letter, words in pairs]


def choice_rows(choices: Sequence[Choice], width: int) -> list[Row]:
    """A row for each answer, with the letter that gives it."""
    return [
        Row(spread((said(one.words),), (Span(one.letter, Role.ACCENT),) if one.letter else (), width), one.key)
        for one in choices
    ]


class QuestionPanel(Vertical):
    """Not there while nothing is asked. It takes the focus only once nobody has typed for `patience` seconds.

    Clicks answer at once.
    """

    DEFAULT_CSS = """
    QuestionPanel { width: 100%; height: auto; display: none; background: $panel; border-top: solid $warning; }
    QuestionPanel Notice, QuestionPanel RowList, QuestionPanel EntryLine { background: $panel; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "stop", show=False)]

    def __init__(self, texts: Texts, patience: float = PATIENCE) -> None:
        super().__init__()
        self._texts, self._patience = texts, patience
        self._message = Notice()
        self._list = RowList(one_click=True)
        self._entry = EntryLine()
        self._keys = KeyBar(
            (
                KeyHint("↑↓", texts("screens.question_move"), ""),
                KeyHint("enter", texts("screens.question_choose"), ""),
                KeyHint("esc", texts("screens.question_close"), ""),
            )
        )
        self._turn = asyncio.Lock()
        self._answer: asyncio.Future[str | None] | None = None
        self._choices: Sequence[Choice] = ()
        self._waiting: asyncio.Task[None] | None = None

    def compose(self) -> ComposeResult:
        yield self._message
        yield self._list
        yield self._entry
        yield self._keys

    @property
    def is_open(self) -> bool:
        return self._answer is not None

    async def ask(self, question: Question | Confirm | Pick) -> str | None:
        """The person's answer, None where they want to stop. A second question waits until the first is answered."""
        async with self._turn:
            answer: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
            self._answer = answer
            choices = self._choices = choices_for(question, self._texts)
            came_from = self.screen.focused
            self._message.show(f"! {question.message}", Role.WARNING)
            self._list.styles.height = min(len(choices), _HIGHEST)
            self._list.show(lambda width: choice_rows(choices, width), choices[0].key, at_top=True)
            self.display = True
            self._waiting = asyncio.create_task(self._take_focus(question))
            try:
                return await answer
            finally:
                self._waiting.cancel()
                self._answer, self._choices = None, ()
                self._close(came_from)

    def _close(self, came_from: Widget | None) -> None:
        if not self.is_attached:
            return
        had_focus = self.has_focus_within
        self._entry.action_give_up()
        self.display = False
        if had_focus and came_from and came_from.is_attached:
            came_from.focus()

    async def _take_focus(self, question: Question | Confirm | Pick) -> None:
        await until_quiet(self.screen, self._patience)
        if self.has_focus_within:
            return
        self._list.focus()
        if isinstance(question, EnterKey):
            self._enter_key()

    def on_row_list_chosen(self, event: RowList.Chosen) -> None:
        event.stop()
        self._take(event.key)

    def on_row_list_moved(self, event: RowList.Moved) -> None:
        event.stop()

    def on_key(self, event: Key) -> None:
        """The letters of the answers, while the list has the focus."""
        if not self._list.has_focus:
            return
        for choice in self._choices:
            if choice.letter and event.character == choice.letter:
                event.stop()
                self._take(choice.key)
                return

    def action_stop(self) -> None:
        self._give(None)

    def _take(self, key: str) -> None:
        match key:
            case "/stop":
                self._give(None)
            case "/other":
                run_beside(self, self._enter_model, group="entry", exclusive=True)
            case "/key":
                self._enter_key()
            case _:
                self._give(key.removeprefix("="))

    def _enter_key(self) -> None:
        run_beside(self, self._read_key, group="entry", exclusive=True)

    async def _enter_model(self) -> None:
        name = await self._entry.ask(self._texts("screens.question_other_label"))
        if name and name.strip():
            self._give(name.strip())

    async def _read_key(self) -> None:
        key = (await self._entry.ask(self._texts("screens.question_key_label"), hidden=True) or "").strip()
        if key and not re.fullmatch(r"[!-~]+", key):
            self._message.show(f"! {self._texts('screens.question_bad_key')}", Role.WARNING)
        elif key:
            self._give(key)

    def _give(self, answer: str | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_result(answer)
