"""Whether a file still parses once part of a proposal is written: a hunk may have been split in the middle of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.context.languages import language_of, load_grammar

if TYPE_CHECKING:
    from kcode.draft.files import FileState, Proposal

# A file of this size takes the parser a fifth of a second, and a person waits for it.
_LARGEST, _LARGEST_IN_ALL = 1_000_000, 4_000_000


def stop_parsing(proposal: Proposal) -> list[str]:
    """The files that parse as the user has them and do not any more with this proposal; only a hint, as parsers err.

    Large files, and those of languages that are not read here, are not looked at.
    """
    found = []
    left = _LARGEST_IN_ALL
    for change in proposal.changes:
        if change.before is None or change.after is None or not change.hunks:
            continue
        left -= len(change.after.data)
        fits = left >= 0 and max(len(change.before.data), len(change.after.data)) <= _LARGEST
        if (
            fits
            and _is_broken(change.path, change.after)
            and not _is_broken(change.old_path or change.path, change.before)
        ):
            found.append(change.path)
    return found


def _is_broken(path: str, state: FileState) -> bool:
    language = language_of(path)
    grammar = load_grammar(language) if language is not None else None
    return grammar is not None and grammar[0].parse(state.data).root_node.has_error
