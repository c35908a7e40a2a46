"""What a slash command may ask of the screen that it was typed into."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from kcode.agent.checkup import Finding
    from kcode.agent.workbench import Workbench

T = TypeVar("T")
Tone = Literal["info", "good", "warning", "error"]
Work = Literal["test", "compact"]
Shown = Literal["review", "apply", "sessions", "context", "help", "settings", "journal"]


class Front(Protocol):
    """A front end, as commands see it. What blocks runs through `call` and `run`, beside the turn."""

    async def call(self, work: Callable[[Workbench], T]) -> T:
        """Run this with the workbench, and return its result."""

    async def run(self, work: Callable[[Workbench], Awaitable[T]]) -> T:
        """Run this with the workbench while a turn may go on, and return its result."""

    def tell(self, text: str, tone: Tone = "info") -> None:
        """Show this in the conversation; the model never sees it."""

    def text(self, key: str, **values: object) -> str:
        """What the interface says, in the user's language."""

    def open(self, which: Shown) -> None:
        """Show this screen."""

    def say(self, prompt: str, words: str) -> None:
        """Have a turn about the prompt; the conversation shows the words."""

    async def choose(
        self,
        question: str,
        choices: Sequence[str],
        current: str,
        *,
        other: bool = False,
        are_themes: bool = False,
    ) -> str | None:
        """Have the user choose one, with `other` also one that is not there; None where they turn away.

        Of themes each is shown while they look at it.
        """

    def has_turn(self) -> bool:
        """Whether a turn runs."""

    def copy(self, text: str) -> None:
        """Put this into the clipboard."""

    def last_answer(self) -> str:
        """The last answer's Markdown; "" where there is none."""

    async def set_preference(self, name: str, value: str) -> None:
        """Change how the interface looks or acts, for this run and those that follow."""

    def preference(self, name: str) -> object:
        """How that is set."""

    async def resume(self, session: str | None) -> None:
        """Leave this session for another one; None begins a new one."""

    def themes(self) -> tuple[str, ...]:
        """The names of the themes, kcode's own first."""

    def begin(self, what: Work, words: str) -> None:
        """Have the tests run over the draft, or those that the words name, or the conversation compacted with that kept."""

    def show_patch(self, patch: str) -> None:
        """Show this patch in the conversation."""

    async def step(self, way: Literal["undo", "redo"], what: str) -> None:
        """Take back or bring back the last "turn" or "apply", or with "" what changed last."""

    async def examine(self) -> list[Finding]:
        """How kcode stands in this place."""

    def leave(self) -> None:
        """End the program."""
