"""The folder that kcode works on, and which paths the model may name in it."""

from __future__ import annotations

import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kcode.errors import ToolError, WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Mapping

_SYSTEM_FOLDERS = {
    "/", "/bin", "/boot", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/root", "/run", "/sbin",
    "/srv", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/var", "/var/lib", "/var/tmp", "/Applications",  # noqa: S108
    "/Library", "/System", "/Users", "/Volumes", "/private", "/private/etc", "/private/tmp", "/private/var",
}  # fmt: skip
_KERNEL_FOLDERS = ("/dev", "/proc", "/sys")
_LONGEST_NAME, _LONGEST_PATH = 255, 4000
# HFS+ leaves these out when it compares names (git's core.protectHFS has the same list).
_HFS_IGNORED = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class Workspace:
    """`root` is the git work tree's root or a plain folder, with links resolved; `git_dir` is None without git.

    `start` is the folder inside root, relative to it, that the user stands in ("" for root itself).
    """

    root: Path
    git_dir: Path | None = None
    start: str = ""


def open_workspace(start: Path, environment: Mapping[str, str], *, allow_anywhere: bool = False) -> Workspace:
    """Find the git work tree that holds `start`, or take `start` itself as a plain folder; no program is run.

    Raises WorkspaceError for a folder that is missing, bare or inside a `.git`, and, unless `allow_anywhere`, for the
    home folder, whatever lies above it, and the system's own folders.
    """
    try:
        here = start.resolve(strict=True)
        if not here.is_dir():
            raise WorkspaceError(f"{start} is a file. Name the folder of a project.")
        workspace = _find_work_tree(here)
    except FileNotFoundError:
        if start == Path():
            raise WorkspaceError("The folder that you stand in is gone. Go to the folder of a project.") from None
        raise WorkspaceError(f"There is no folder {start}. Name the folder of a project.") from None
    except (OSError, RuntimeError) as error:  # a loop of links is a RuntimeError before Python 3.13
        raise WorkspaceError(f"The folder {start} cannot be read: {error}.") from error
    if not allow_anywhere:
        _refuse_wide_folder(workspace.root, environment)
    return workspace


def _find_work_tree(here: Path) -> Workspace:
    for folder in (here, *here.parents):
        mark = folder / ".git"
        git_dir = _follow_git_file(mark) if mark.is_file() else mark
        if _is_git_folder(git_dir):
            git_dir = git_dir.resolve()
            if _is_bare(git_dir):
                raise WorkspaceError(f"{folder} belongs to a bare repository, which has no files. Go to a work tree.")
            start = here.relative_to(folder).as_posix()
            return Workspace(folder, git_dir, "" if start == "." else start)
        if _is_git_folder(folder):
            raise WorkspaceError(
                f"{here} is inside the git folder {folder}, where there are no files to work on. Go to a work tree."
            )
    return Workspace(here)


def _follow_git_file(mark: Path) -> Path:
    """The git folder that the `.git` file of a linked worktree or a submodule names."""
    text = mark.read_text(encoding="utf-8", errors="surrogateescape")
    target = mark.parent / text.removeprefix("gitdir:").strip()
    if not text.startswith("gitdir:") or not _is_git_folder(target):
        raise WorkspaceError(
            f"{mark} names no git folder. If the repository was moved, `git worktree repair` there mends it."
        )
    return target


def _is_git_folder(folder: Path) -> bool:
    """What git itself looks for; a linked worktree keeps its objects and refs where `commondir` says."""
    return os.path.lexists(folder / "HEAD") and (
        ((folder / "objects").is_dir() and (folder / "refs").is_dir()) or (folder / "commondir").is_file()
    )


def _is_bare(git_dir: Path) -> bool:
    config = git_dir / "config"
    # The worktrees of a bare repository share its configuration and are not bare.
    if (git_dir / "commondir").is_file() or not config.is_file():
        return False
    text = config.read_text(encoding="utf-8", errors="replace")
    return re.search(r"^\s*bare\s*(=\s*(true|yes|on|1)\s*)?$", text, re.MULTILINE | re.IGNORECASE) is not None


def _refuse_wide_folder(root: Path, environment: Mapping[str, str]) -> None:
    home = Path(os.path.realpath(environment.get("HOME") or Path.home()))
    if root == home:
        what = "your home folder"
    elif root in home.parents:
        what = "a folder that holds your home folder"
    elif str(root) in _SYSTEM_FOLDERS or any(root.is_relative_to(folder) for folder in _KERNEL_FOLDERS):
        what = "a folder of the system"
    else:
        return
    raise WorkspaceError(
        f"{root} is {what}, too wide to work on. Go to a project's folder (`git init` makes one of any folder), "
        "or ask for it plainly with --anywhere."
    )


def relative_path(workspace: Workspace, path: str) -> str:
    """The path, as the model wrote it, inside the workspace: `/` between names, "" for the workspace itself.

    Judges the words alone: where links lead is the draft's to say. Raises ToolError, worded for the model, for a path
    outside the workspace or inside a `.git` folder, and for what cannot be a file's name.
    """
    root = str(workspace.root)
    if "\0" in path:
        raise ToolError("A path cannot hold a NUL byte. Give the path without it.")
    try:
        long = len(os.fsencode(path)) > _LONGEST_PATH
        long = long or any(len(os.fsencode(name)) > _LONGEST_NAME for name in path.split("/"))
    except UnicodeEncodeError:
        raise ToolError(f"{path!r} cannot be a file's name: it is not valid Unicode.") from None
    if long:
        raise ToolError("The path is too long for a file system. Give a shorter one.")
    if path == "~" or path.startswith("~/"):
        raise _outside(path, root)
    # normpath keeps two leading slashes, which POSIX leaves open and Linux reads as one.
    whole = posixpath.normpath("/" + posixpath.join(root, path).lstrip("/"))
    if whole != root and not whole.startswith(root.rstrip("/") + "/"):
        raise _outside(path, root)
    inner = whole[len(root) :].strip("/")
    if is_git_path(inner):
        raise ToolError(
            f"{path} is inside a .git folder, which no tool may read or change. Work on the files themselves."
        )
    return inner


def _outside(path: str, root: str) -> ToolError:
    return ToolError(f"{path} is outside the workspace {root}. Give a path inside it, such as src/main.py.")


def current_branch(workspace: Workspace) -> str:
    """The branch that is checked out, as `HEAD` names it; "" without git, or where no branch is."""
    if workspace.git_dir is None:
        return ""
    try:
        head = (workspace.git_dir / "HEAD").read_bytes()[:1024]
    except OSError:
        return ""
    return os.fsdecode(head).strip().removeprefix("ref: refs/heads/") if head.startswith(b"ref: refs/heads/") else ""


def is_git_path(path: str) -> bool:
    """True when any name in the path is `.git` to some file system: other case, NTFS short names, HFS spellings."""
    return any(_is_git_name(name) for name in re.split(r"[/\\]", path))


def _is_git_name(name: str) -> bool:
    plain = _HFS_IGNORED.sub("", name).lower().partition(":")[0].rstrip(". ")
    return plain in {".git", "git~1"}
