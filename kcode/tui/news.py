"""What the talk's thread tells the screen, beside the events of a turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.events import Event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.agent.accounting import Account
    from kcode.draft.review import Reviewed
    from kcode.draft.versions import TestRun
    from kcode.errors import KcodeError
    from kcode.messages import Message


@dataclass(frozen=True, slots=True)
class Opened:
    """The session is open; `warnings` are what the user should know before they begin."""

    endpoint: str
    model: str
    branch: str
    session: str
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was said in the session so far; it comes before the session is open."""

    history: Sequence[Message | Event]


@dataclass(frozen=True, slots=True)
class NotOpened:
    """The session cannot be opened; nothing will be said in this thread."""

    error: KcodeError


@dataclass(frozen=True, slots=True)
class TurnFailed:
    """The turn ended without a TurnFinished: by an error, or None because the user interrupted it."""

    error: KcodeError | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What fills the window, what the session took so far, and whether commands run in a sandbox, as far as is known."""

    account: Account
    is_billed: bool
    is_confined: bool


@dataclass(frozen=True, slots=True)
class DraftSeen:
    """The proposal as it stands, with its review; `tests` is the last run over the draft as it is, if there is one."""

    view: Reviewed
    tests: TestRun | None


@dataclass(frozen=True, slots=True)
class CommandBegun:
    """A command of the user's runs, which may have waited; `words` are what they typed."""

    words: str


@dataclass(frozen=True, slots=True)
class Rested:
    """No turn runs, and none waits."""


@dataclass(frozen=True, slots=True)
class Crashed:
    """Something went wrong that nobody thought of; what was said and drafted is kept."""

    error: BaseException


News = Event | CommandBegun | Remembered | Opened | NotOpened | TurnFailed | Counted | DraftSeen | Rested | Crashed
