"""What running something gave: a command, the tests, a tool, a request that failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal


class CommandEnd(Enum):
    """Why a command stopped."""

    EXITED = "exited"
    TIMEOUT = "timeout"
    FLOOD = "flood"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command that ran over the draft.

    `output` is stdout and stderr as they came, decoded with replacement, and cut in the middle when it was long;
    `output_name` is then the file that the model can read the whole of. `exit_code` is negative for a signal.
    `changed` are the paths that the command changed and that are now part of the proposal; `left` are new files that a
    run of the tests left, which are not.
    """

    exit_code: int
    output: str
    end: CommandEnd = CommandEnd.EXITED
    seconds: float = 0.0
    output_name: str | None = None
    changed: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TestFailure:
    """One failing test: its name as the runner spells it, and the useful end of what it said.

    `cause` is the same for failures that one mistake seems to explain; "" where nothing was said.
    """

    __test__ = False

    name: str
    detail: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class TestReport:
    """One run of the tests. Counts are None where the runner's output does not tell them.

    `failed_before` names the failing tests that fail without the draft's changes too; None where that is not known.
    `untried` are those of which nothing is known, since the run without the changes never got to them. `ran` names all
    tests that passed or failed, where the runner tells that.
    """

    __test__ = False

    command: str
    result: CommandResult
    passed: int | None = None
    failed: int | None = None
    skipped: int | None = None
    failures: tuple[TestFailure, ...] = ()
    failed_before: tuple[str, ...] | None = None
    untried: tuple[str, ...] = ()
    ran: frozenset[str] | None = field(default=None, repr=False)

    @property
    def ok(self) -> bool:
        """True when the runner said that all went well."""
        return self.result.exit_code == 0 and self.result.end is CommandEnd.EXITED and not self.failed


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool gave: `text` for the model, `summary` (one short line) for the screen.

    `went_well` is False where the call did its work, but what it ran ended with another exit code than 0.
    """

    text: str
    summary: str = ""
    failed: bool = False
    tests: TestReport | None = None
    went_well: bool = True


FailureKind = Literal["retry", "overflow", "history", "key", "quota", "model", "refused", "broken"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request failed and what may be done: `kind` decides, `message` is for the user.

    retry: try again, not before `retry_after` seconds · overflow: the request is too long · history: the endpoint
    rejects the history's shape · key: another key is needed · quota: no money left · model: the id is not served ·
    refused: the content was refused · broken: anything else, not worth retrying. `attempts` is how many tries in all
    are worth making. `said` is what the endpoint said, in lower case, and `choices` the models that it serves instead.
    """

    kind: FailureKind
    message: str
    retry_after: float | None = None
    status: int | None = None
    attempts: int = 8
    said: str = ""
    choices: tuple[str, ...] = ()
