"""The repository at a glance, as a request tells it: asked of several git processes at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.safegit import LIST_FILES, listed_files, output_names

if TYPE_CHECKING:
    from kcode.safegit import SafeGit

# Asking a submodule about its files would run git in it, with the submodule's own configuration.
_STATUS = ("status", "-z", "--porcelain=v1", "--branch", "--untracked-files=normal", "--ignore-submodules=dirty")
_LOG = ("log", "-5", "-z", "--format=%h %s", "--no-patch", "--no-ext-diff", "--no-textconv", "--no-show-signature")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The repository in a few words: `status` and `commits` are lines for people, `files` as `list_files` gives them."""

    branch: str
    status: tuple[str, ...]
    commits: tuple[str, ...]
    files: tuple[str, ...]


class RunningSnapshot:
    """The processes behind a Snapshot, all running."""

    def __init__(self, git: SafeGit) -> None:
        self._git = git
        self._listing = git.start(*LIST_FILES)
        self._files: tuple[str, ...] | None = None
        self._status = None if git.plain else git.start(*_STATUS)
        self._log = None if git.plain else git.start(*_LOG)

    def files(self) -> tuple[str, ...]:
        """The files alone, which are known before git has looked at each of them."""
        if self._files is None:
            self._files = listed_files(self._git, self._listing.finish())
        return self._files

    def finish(self) -> Snapshot:
        files = self.files()
        if self._status is None or self._log is None:
            return Snapshot("", (), (), files)
        branch, status = _parse_status(self._status.finish())
        # An unborn branch has no log; git says so with 128.
        log = self._log.finish((0, 128)).decode("utf-8", "replace")
        commits = tuple(line for line in log.split("\0") if line)
        if branch == _DETACHED and commits:
            branch = f"detached at {commits[0].partition(' ')[0]}"
        return Snapshot(branch, status, commits, files)


def start_snapshot(git: SafeGit) -> RunningSnapshot:
    """Start asking; meanwhile the caller may do other work, such as a long import."""
    return RunningSnapshot(git)


_DETACHED = "detached"
_BRANCH = re.compile(r"(?:No commits yet on |Initial commit on )?(?P<name>.+?)(?:\.\.\.\S+)?(?: \[[^\]]*\])?$")


def _parse_status(data: bytes) -> tuple[str, tuple[str, ...]]:
    """The branch, in words when it is unborn or detached, and git's short status lines."""
    first, *entries = output_names(data)
    head = first.removeprefix("## ")
    found = _BRANCH.match(head)
    branch = found["name"] if found else head
    if head.startswith(("No commits yet on ", "Initial commit on ")):
        branch += " (no commits yet)"
    elif head == "HEAD (no branch)":
        branch = _DETACHED
    lines = []
    left = iter(entries)
    for entry in left:
        # A rename gives its source as an entry of its own.
        source = f"{next(left, '')} -> " if "R" in entry[:2] or "C" in entry[:2] else ""
        lines.append(f"{entry[:3]}{source}{entry[3:]}")
    return branch, tuple(lines)
