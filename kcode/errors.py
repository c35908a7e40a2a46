"""Every error that kcode raises on purpose, in one tree.

KcodeError                  something the user reads: what happened, to what, what to do next
├── UsageError              bad flags, settings, key or input                    exit 2
│   └── NoKeyError          the endpoint needs a key, and there is none
├── WorkspaceError          the folder cannot be worked on                       exit 2
├── RefusedError            needs a right or an answer that nobody gave          exit 5
│   ├── NoSandboxError      commands cannot be isolated on this machine
│   └── ReadOnlyError       files that are to be written are read-only; carries their paths
├── OutputError             stdout cannot take the product
├── GitError                a git command failed
├── DraftError              the draft cannot be read, written or proposed
│   ├── StaleError          the user's file is not what the proposal was made from
│   └── IncompleteError     the chosen hunks cannot stand without others
├── SandboxError            a command could not be started in isolation; it did not run
├── SessionError            the session's log or folder cannot be used
│   └── SessionInUseError   another process works in it
├── ToolError               a tool's failure, worded for the model
│   └── EditRefusedError    an edit does not fit the file; nothing was changed
└── ProviderError           the endpoint failed; carries its Failure              exit 1, or 75 if retrying may help
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.results import Failure


class KcodeError(Exception):
    """What happened, to what, and what to do next, in words for the user."""


class UsageError(KcodeError):
    pass


class NoKeyError(UsageError):
    pass


class WorkspaceError(KcodeError):
    pass


class RefusedError(KcodeError):
    pass


class NoSandboxError(RefusedError):
    pass


class ReadOnlyError(RefusedError):
    """Nothing was written; `paths` may be written once somebody agreed to that."""

    def __init__(self, message: str, paths: tuple[str, ...]) -> None:
        super().__init__(message)
        self.paths = paths


class OutputError(KcodeError):
    pass


class GitError(KcodeError):
    pass


class DraftError(KcodeError):
    pass


class StaleError(DraftError):
    pass


class IncompleteError(DraftError):
    pass


class SandboxError(KcodeError):
    pass


class SessionError(KcodeError):
    pass


class SessionInUseError(SessionError):
    pass


class ToolError(KcodeError):
    """Raised by a tool; its text becomes the failed result that the model reads."""


class EditRefusedError(ToolError):
    """`line` is where in the file the edit was probably meant, if that is known."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


class ProviderError(KcodeError):
    """The endpoint, the network or the stream failed; `failure` says what may be done about it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
