"""Which of the draft's files are kept from the model, also behind a link, under another name or as a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.listing import read_file
from kcode.context.secretfiles import (
    NONE_ALLOWED,
    holds_secret,
    is_named_as_secret,
    mask_values,
    secret_digests,
    secret_values,
    text_digest,
    why_not_shown,
)
from kcode.errors import KcodeError, ToolError
from kcode.sanitize import sanitize_names

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.context.secretfiles import Allowed
    from kcode.draft.draft import Draft
    from kcode.safegit import SafeGit

_LARGEST_SECRET = 1 << 20


def find_secret_files(git: SafeGit) -> list[str]:
    """The files of a workspace whose names say that they hold secrets, those that git ignores among them; sorted."""
    return sorted(filter(is_named_as_secret, _all_files(git)))


def describe_allowed(git: SafeGit, allowed: Allowed) -> str:
    """What the user is told of the files that are let through."""
    found = [path for path in find_secret_files(git) if path in allowed]
    if not found:
        return (
            "--allow-secret: no file here whose name says that it holds secrets matches that; nothing is let through."
        )
    return f"The model is shown what it asks for of {sanitize_names(found)}, by --allow-secret, in this run."


def _all_files(git: SafeGit) -> set[str]:
    """All but what lies in folders that git ignores as a whole."""
    return {*git.list_files(), *git.list_ignored()}


class Secrecy:
    """The judge of one session's draft. `git` is asked once what the workspace holds, when that first matters."""

    def __init__(self, root: Path, git: SafeGit, allowed: Allowed = NONE_ALLOWED) -> None:
        self._root, self._git, self._allowed = root, git, allowed
        self._digests: frozenset[bytes] | None = None
        self._values: tuple[str, ...] = ()

    def check(self, shown: str, path: str, data: bytes) -> None:
        """Raise ToolError, worded for the model, for a file that is kept from it.

        `shown` is the path as it was asked for, `path` where that leads.
        """
        if self._is_kept(shown, path, data):
            raise ToolError(why_not_shown(shown))

    def check_move(self, path: str) -> None:
        """Refuse to give a file another name that is only known by its own."""
        if is_named_as_secret(path) and path not in self._allowed:
            raise ToolError(f"{path} was not moved. {why_not_shown(path)}")

    def keeps(self, draft: Draft, path: str) -> bool:
        """Whether the text at the path is kept back, or cannot be looked at."""
        try:
            inside = draft.resolve(path, follow=True)
            state = draft.read(inside)
        except KcodeError:
            return True
        return state is not None and self._is_kept(path, inside, state.data)

    def mask(self, text: str) -> str:
        """What a command printed without the passwords and keys of files that are kept back."""
        self._known()
        return mask_values(text, self._values)

    def _is_kept(self, shown: str, path: str, data: bytes) -> bool:
        if path in self._allowed:
            return False
        if holds_secret(path, data) or (shown != path and is_named_as_secret(shown)):
            return True
        return 0 < len(data) <= _LARGEST_SECRET and text_digest(data) in self._known()

    def _known(self) -> frozenset[bytes]:
        if self._digests is None:
            try:
                names = _all_files(self._git)
            except KcodeError:
                names = set()
            kept = (name for name in names if name not in self._allowed)
            found: dict[str, bytes] = {}

            def read(path: str) -> bytes | None:
                data = read_file(self._root, path, _LARGEST_SECRET)
                if data is not None:
                    found[path] = data
                return data

            self._digests = secret_digests(kept, read)
            self._values = secret_values(found)
        return self._digests
