"""The files of a workspace with the blob id of each, as git tells them, or as a walk finds them where git is no help."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kcode.context.ignorefiles import ALL_NAMES, OWN_NAMES, IgnoreRules
from kcode.errors import GitError
from kcode.safegit import output_names, outside_environments

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from kcode.safegit import SafeGit

_FILES = ("ls-files", "-z", "-t", "-s", "-c", "-d", "-o", "-m", "--exclude-standard")
_STAGED = (
    "diff-index",
    "--cached",
    "--name-only",
    "-z",
    "--no-renames",
    "--no-ext-diff",
    "--ignore-submodules",
    "HEAD",
)
_HEAD = ("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
# Never anyone's source, also where no ignore file says so.
_SKIPPED_FOLDERS = frozenset(
    {".git", ".hg", ".svn", "__pycache__", "node_modules", ".venv", "venv", ".tox", ".nox", ".cache", ".mypy_cache",
     ".ruff_cache", ".pytest_cache", ".hypothesis", ".gradle", ".next"}
)  # fmt: skip
_MOST_WALKED = 200_000
_LONGEST_IGNORE_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class Listing:
    """`blobs` maps each path to git's blob id, or to "" where the file's own bytes have to tell; sorted by path.

    `head` is the commit that is checked out, "" without one; `dirty` are the paths that differ from it.
    """

    head: str = ""
    blobs: dict[str, str] = field(default_factory=dict)
    dirty: frozenset[str] = frozenset()


class RunningListing:
    """The git processes behind a Listing, all running."""

    def __init__(self, git: SafeGit) -> None:
        self._git = git
        self._files = git.start(*_FILES)
        self._head = None if git.plain else git.start(*_HEAD)
        self._staged = None if git.plain else git.start(*_STAGED)

    def finish(self) -> Listing:
        """Raises GitError when git refuses."""
        blobs, dirty = _parse(self._git, self._files.finish(), frozenset())
        head = self._head.finish((0, 1, 128)).decode().strip() if self._head else ""
        # An unborn branch has no HEAD to compare with; git says so with 128, and then all is new.
        staged = output_names(self._staged.finish((0, 128))) if self._staged and head else []
        dirty |= blobs.keys() & set(staged)
        texts = _ignore_files(self._git.work_tree, (path for path in blobs if path.rpartition("/")[2] in OWN_NAMES))
        if texts:
            rules = IgnoreRules(texts)
            blobs = {path: blob for path, blob in blobs.items() if not rules.ignores(path)}
        # In a plain folder nothing is committed, so nothing differs from what is.
        changed = frozenset() if self._git.plain else frozenset(dirty & blobs.keys())
        return Listing(head, dict(sorted(blobs.items())), changed)


def _parse(git: SafeGit, listed: bytes, above: frozenset[Path]) -> tuple[dict[str, str], set[str]]:
    """Blob ids by path, and what differs from git's index."""
    blobs: dict[str, str] = {}
    untracked: set[str] = set()
    changed: set[str] = set()
    missing: set[str] = set()
    nested: set[str] = set()
    for entry in output_names(listed):
        tag, rest = entry[0], entry[2:]
        info, _, path = rest.partition("\t") if tag != "?" else ("", "", rest)
        if info.startswith("160000") or path.endswith("/"):
            nested.add(path.rstrip("/"))
        elif tag == "R" or (tag == "S" and not os.path.lexists(git.work_tree / path)):
            missing.add(path)
        elif tag == "?":
            untracked.update(() if (git.work_tree / path).is_symlink() else (path,))
        elif tag in {"C", "M"}:
            changed.add(path)
            blobs.setdefault(path, "")
        elif info.startswith("120000"):
            missing.add(path)  # a link is no file to read, whatever it leads to
        else:
            blobs[path] = info.split(" ")[1]
    blobs |= dict.fromkeys(changed | outside_environments(untracked), "")
    for path in sorted(nested):
        inner, inner_changed = _nested(git, path, above)
        blobs |= {f"{path}/{name}": blob for name, blob in inner.items()}
        changed |= {f"{path}/{name}" for name in inner_changed}
    for path in missing:
        blobs.pop(path, None)
    return blobs, (changed | untracked) - missing


def _nested(git: SafeGit, path: str, above: frozenset[Path]) -> tuple[dict[str, str], set[str]]:
    """The files of a repository inside this one; none where git refuses it."""
    inner = git.nested(path)
    if inner is None or git.work_tree in above:
        return {}, set()
    try:
        return _parse(inner, inner.run(*_FILES), above | {git.work_tree})
    except GitError:
        return {}, set()


def walk_files(root: Path) -> Listing:
    """The regular files below the root that no ignore file leaves out; no link is followed. For where git is no help."""
    found: list[str] = []
    texts: dict[str, list[str]] = {}
    pending = [""]
    while pending and len(found) < _MOST_WALKED:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError:
            continue
        prefix = f"{folder}/" if folder else ""
        texts |= _ignore_files(root, (prefix + entry.name for entry in entries if entry.name in ALL_NAMES))
        rules = IgnoreRules(texts)
        for entry in entries:
            path = prefix + entry.name
            if entry.is_symlink():
                continue
            if entry.is_dir():
                if entry.name not in _SKIPPED_FOLDERS and not rules.ignores(path, is_folder=True):
                    pending.append(path)
            elif entry.is_file() and not rules.ignores(path):
                found.append(path)
    return Listing("", dict.fromkeys(sorted(found), ""))


def _ignore_files(root: Path, paths: Iterable[str]) -> dict[str, list[str]]:
    """The texts of ignore files, by the folder that they stand in."""
    found: dict[str, list[str]] = {}
    for path in sorted(paths):
        data = read_file(root, path, _LONGEST_IGNORE_FILE)
        if data is not None:
            found.setdefault(path.rpartition("/")[0], []).append(data.decode("utf-8", "replace"))
    return found


def read_file(root: Path, path: str, largest: int) -> bytes | None:
    """The bytes of a regular file; None for a link, for what cannot be read, and for more than `largest`."""
    try:
        # Not blocking: a pipe of that name must not hold up whoever opens it.
        descriptor = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        there = os.fstat(descriptor)
        if not stat.S_ISREG(there.st_mode) or there.st_size > largest:
            return None
        return _read_all(descriptor, there.st_size)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _read_all(descriptor: int, size: int) -> bytes:
    pieces = []
    # One byte more than it had, to see that this is the end.
    while piece := os.read(descriptor, max(size + 1, 4096)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
