"""What commits changed, read from git's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.draft.files import EXECUTABLE, LINK, REGULAR, Change, FileState
from kcode.errors import GitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kcode.safegit import SafeGit

_MODES = {"100644": REGULAR, "100755": EXECUTABLE, "120000": LINK, "100664": REGULAR}


def changes_between(git: SafeGit, words: str) -> tuple[Change, ...]:
    """The changes that a range or a commit names, as `git diff A..B` and `git show COMMIT` have them.

    `A...B` is from where the two parted; a side that is left out is HEAD. Submodules are left out. UsageError for words
    that name no commit here.
    """
    old, new = _trees(git, words)
    fields = git.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new).split(b"\0")
    entries = []
    for info, name in zip(fields[0::2], fields[1::2], strict=False):
        old_mode, new_mode, old_id, new_id, _ = info.decode("ascii").removeprefix(":").split(" ")
        entries.append((name.decode("utf-8", "surrogateescape"), (old_mode, old_id), (new_mode, new_id)))
    wanted = [pair for _, before, after in entries for pair in (before, after) if pair[0] in _MODES]
    blobs = _blobs(git, dict.fromkeys(identity for _, identity in wanted))
    changes = (Change(path, _state(before, blobs), _state(after, blobs)) for path, before, after in entries)
    return tuple(change for change in changes if change.before != change.after)


def _trees(git: SafeGit, words: str) -> tuple[str, str]:
    left, dots, right = words.partition("...")
    if dots:
        first, second = _commit(git, left or "HEAD", words), _commit(git, right or "HEAD", words)
        base = git.run("merge-base", first, second, codes=(0, 1)).decode("ascii").split()
        if not base:
            raise UsageError(
                f"{words}: the two have no commit in common. {left or 'HEAD'}..{right or 'HEAD'} compares them."
            )
        return base[0], second
    left, dots, right = words.partition("..")
    if dots:
        return _commit(git, left or "HEAD", words), _commit(git, right or "HEAD", words)
    commit = _commit(git, words, words)
    parent = git.run("rev-parse", "--verify", "--quiet", f"{commit}^", codes=(0, 1)).decode("ascii").strip()
    return parent or _empty_tree(git), commit


def _commit(git: SafeGit, name: str, words: str) -> str:
    try:
        found = git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", codes=(0, 1))
    except GitError:
        found = b""
    identity = found.decode("ascii", "replace").strip()
    if not identity:
        raise UsageError(
            f"{words!r} is no commit and no range of commits here. Give one, such as HEAD or main.., or - to read a patch "
            "from stdin."
        )
    return identity


def _empty_tree(git: SafeGit) -> str:
    """What stands before a repository's first commit: the name that git's hash gives the tree without entries."""
    return git.run("hash-object", "-t", "tree", "--stdin", input=b"").decode("ascii").strip()


def _blobs(git: SafeGit, identities: Iterable[str]) -> dict[str, bytes]:
    names = [identity for identity in identities if identity.strip("0")]
    if not names:
        return {}
    output = git.run("cat-file", "--batch", input="".join(f"{name}\n" for name in names).encode("ascii"))
    blobs = {}
    at = 0
    for name in names:
        end = output.index(b"\n", at)
        head = output[at:end].split(b" ")
        if len(head) != 3:
            raise GitError(
                f"git does not have the object {name}, which a commit names. The clone may be partial: git fetch."
            )
        start, size = end + 1, int(head[2])
        blobs[name] = output[start : start + size]
        at = start + size + 1
    return blobs


def _state(entry: tuple[str, str], blobs: Mapping[str, bytes]) -> FileState | None:
    mode, identity = entry
    return FileState(_MODES[mode], blobs[identity]) if mode in _MODES and identity in blobs else None
