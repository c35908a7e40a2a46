"""A proposal as a patch that `git apply` takes byte for byte."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kcode.draft.files import LINK, FileChange, FileState, Hunk, Proposal
from kcode.draft.gitformat import NO_BLOB, binary_block, blob_id, path_bytes, quote
from kcode.draft.hunks import is_binary
from kcode.draft.linediff import split_lines
from kcode.draft.renames import similarity

if TYPE_CHECKING:
    from collections.abc import Sequence

_CONTEXT = 3


def render_patch(proposal: Proposal, *, for_people: bool = False) -> bytes:
    """A unified diff with git's extended headers, full blob ids and binary parts that can be reversed.

    It holds the files' bytes as they are: before it goes to a terminal it has to pass through `sanitize`. One that is
    `for_people` spells names as they read them, and of a binary file it tells the size alone.
    """
    return b"".join(line for change in proposal.changes for line in _file(change, for_people))


def _file(change: FileChange, for_people: bool) -> list[bytes]:
    before, after = change.before, change.after
    if before and after and (before.mode == LINK) != (after.mode == LINK):
        # Git has no patch from a file to a link: the one is deleted, then the other is created.
        gone = FileChange(change.old_path or change.path, None, before, None)
        return _file(gone, for_people) + _file(FileChange(change.path, None, None, after), for_people)
    old, new = path_bytes(change.old_path or change.path), path_bytes(change.path)
    spell = partial(quote, for_people=for_people)
    lines = [b"diff --git " + spell(b"a/" + old) + b" " + spell(b"b/" + new) + b"\n"]
    lines += _modes(before, after)
    if change.old_path is not None and before and after:
        lines.append(b"similarity index %d%%\n" % similarity(before, after))
        lines += [b"rename from " + spell(old) + b"\n", b"rename to " + spell(new) + b"\n"]
    was, now = before.data if before else b"", after.data if after else b""
    if was == now and before and after:
        return lines
    lines.append(_index(before, after))
    if any(is_binary(state) for state in (before, after) if state):
        if for_people:
            return [*lines, _binary_size(before, after)]
        return [*lines, b"GIT binary patch\n", *binary_block(now), *binary_block(was)]
    hunks = change.hunks or _whole(was, now)
    if hunks:
        lines.append(b"--- " + (_name(spell(b"a/" + old)) if before else b"/dev/null\n"))
        lines.append(b"+++ " + (_name(spell(b"b/" + new)) if after else b"/dev/null\n"))
        lines += _hunks(hunks, split_lines(was))
    return lines


def _modes(before: FileState | None, after: FileState | None) -> list[bytes]:
    if before is None:
        return [b"new file mode %o\n" % after.mode] if after else []
    if after is None:
        return [b"deleted file mode %o\n" % before.mode]
    if before.mode != after.mode:
        return [b"old mode %o\n" % before.mode, b"new mode %o\n" % after.mode]
    return []


def _index(before: FileState | None, after: FileState | None) -> bytes:
    old = blob_id(before.data) if before else NO_BLOB
    new = blob_id(after.data) if after else NO_BLOB
    mode = f" {before.mode:o}" if before and after and before.mode == after.mode else ""
    return f"index {old}..{new}{mode}\n".encode()


def _name(name: bytes) -> bytes:
    # Git ends a name with a blank in it by a tab, so that a time stamp is not looked for in it.
    return name + (b"\t\n" if b" " in name else b"\n")


def _binary_size(before: FileState | None, after: FileState | None) -> bytes:
    sizes = [len(state.data) for state in (before, after) if state]
    spelled = [f"{size:,} {'byte' if size == 1 else 'bytes'}" for size in sizes]
    return f"Binary file: {', then '.join(spelled)}\n".encode()


def _whole(was: bytes, now: bytes) -> tuple[Hunk, ...]:
    """A text that is decided whole, such as a link's target: all lines out, all lines in."""
    old, new = tuple(split_lines(was)), tuple(split_lines(now))
    return (Hunk("", min(len(old), 1), old, min(len(new), 1), new),) if old or new else ()


def _hunks(hunks: Sequence[Hunk], old: Sequence[bytes]) -> list[bytes]:
    """Hunks with three lines of context; those whose contexts touch are written as one, as git does."""
    groups: list[list[tuple[int, Hunk]]] = []
    end = 0
    for hunk in hunks:
        at = hunk.old_start - 1 if hunk.old_lines else hunk.old_start
        if groups and at - end <= 2 * _CONTEXT:
            groups[-1].append((at, hunk))
        else:
            groups.append([(at, hunk)])
        end = at + len(hunk.old_lines)
    lines = []
    growth = 0
    for group in groups:
        text, grown = _group(group, old, growth)
        lines += text
        growth += grown
    return lines


def _group(group: Sequence[tuple[int, Hunk]], old: Sequence[bytes], growth: int) -> tuple[list[bytes], int]:
    last_at, last = group[-1]
    first = max(group[0][0] - _CONTEXT, 0)
    end = min(last_at + len(last.old_lines) + _CONTEXT, len(old))
    body: list[bytes] = []
    at, grown = first, 0
    for hunk_at, hunk in group:
        body += [b" " + line for line in old[at:hunk_at]]
        body += [b"-" + line for line in hunk.old_lines]
        body += [b"+" + line for line in hunk.new_lines]
        at = hunk_at + len(hunk.old_lines)
        grown += len(hunk.new_lines) - len(hunk.old_lines)
    body += [b" " + line for line in old[at:end]]
    head = b"@@ -" + _span(first, end - first) + b" +" + _span(first + growth, end - first + grown) + b" @@\n"
    ended = (line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in body)
    return [head, *ended], grown


def _span(first: int, count: int) -> bytes:
    """Git leaves out a count of 1; no lines stand after the line before them."""
    if count == 1:
        return b"%d" % (first + 1)
    return b"%d,%d" % (first + 1 if count else first, count)
