"""Where a path of the draft leads once its links are followed."""

from __future__ import annotations

import os
import posixpath
import stat
from typing import TYPE_CHECKING

from kcode.errors import ToolError
from kcode.workspace import is_git_path

if TYPE_CHECKING:
    from kcode.draft.layers import Layers

_MOST_LINKS = 40  # as Linux's own limit


def resolve_links(layers: Layers, root: str, path: str, *, follow: bool) -> str:
    """The path inside the draft without links in it, the last name's own link followed only if asked.

    `root` is the workspace's absolute path, which an absolute link may lead back into. The path need not exist. Raises
    ToolError, worded for the model, for one that leads outside, into a `.git`, or round in a loop.
    """
    names = _names(path)
    done: list[str] = []
    links = 0
    while names:
        name = names.pop()
        if name == "..":
            if not done:
                raise _leads_outside(path)
            done.pop()
            continue
        if is_git_path(name):
            raise ToolError(f"{path} leads into a .git folder, which no tool may read or change.")
        here = "/".join([*done, name])
        found = layers.lstat(here)
        if found is None or not stat.S_ISLNK(found.st_mode) or not (names or follow):
            done.append(name)
            continue
        links += 1
        if links > _MOST_LINKS:
            raise ToolError(f"{path} goes round in a loop of links. Use a path that does not go through them.")
        target = _target(layers, here)
        if target.startswith("/"):
            target = posixpath.normpath(target)
            if target != root and not target.startswith(root.rstrip("/") + "/"):
                raise _leads_outside(path)
            target, done = target[len(root) :], []
        names += _names(target)
    return "/".join(done)


def _names(path: str) -> list[str]:
    """The names of a path that mean something, the last first."""
    return [name for name in path.split("/") if name not in {"", "."}][::-1]


def _target(layers: Layers, path: str) -> str:
    place = layers.real(path)
    try:
        return os.readlink(place) if place is not None else ""  # noqa: PTH115 - a Path would drop a trailing slash
    except OSError as error:
        raise ToolError(f"The link {path} cannot be read: {error.strerror}.") from error


def _leads_outside(path: str) -> ToolError:
    return ToolError(f"{path} leads outside the workspace through a link, so it is not followed. Use a path inside.")
