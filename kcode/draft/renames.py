"""Which new files are deleted files under another name."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from kcode.draft.files import LINK, Change, FileState

if TYPE_CHECKING:
    from collections.abc import Iterable

# Git calls a file renamed from 50 %; people who review a rename want to know the text again.
_ALIKE = 60
# Comparing every deleted with every new file is quadratic; beyond these only files of the same name are compared.
_PAIRS = 2_000
_BYTES = 50_000_000


def find_renames(changes: Iterable[Change]) -> dict[str, str]:
    """New path → old path. Equal files first, then those at least 60 % alike; each file is used once."""
    every = sorted(changes, key=lambda change: change.path)
    deleted = {change.path: change.before for change in every if change.before and not change.after}
    created = {change.path: change.after for change in every if change.after and not change.before}
    renames = _equal_files(deleted, created)
    for new, old in renames.items():
        del deleted[old], created[new]
    deleted = {path: state for path, state in deleted.items() if state.mode != LINK}
    created = {path: state for path, state in created.items() if state.mode != LINK}
    return renames | _alike_files(deleted, created)


def similarity(one: FileState, other: FileState) -> int:
    """Per cent of the larger file's bytes that are in lines of both; 100 only for equal bytes."""
    return _similarity(one.data, other.data, _lines(one.data), _lines(other.data))


def _equal_files(deleted: dict[str, FileState], created: dict[str, FileState]) -> dict[str, str]:
    """An empty file says nothing about where it came from, so it is never a rename."""
    sources: defaultdict[tuple[bool, bytes], list[str]] = defaultdict(list)
    for path, state in deleted.items():
        if state.data:
            sources[state.mode == LINK, state.data].append(path)
    renames = {}
    for same_name in (True, False):
        for path, state in created.items():
            candidates = sources.get((state.mode == LINK, state.data), [])
            if path in renames or not candidates:
                continue
            found = next((old for old in candidates if _name(old) == _name(path)), None if same_name else candidates[0])
            if found:
                candidates.remove(found)
                renames[path] = found
    return renames


def _alike_files(deleted: dict[str, FileState], created: dict[str, FileState]) -> dict[str, str]:
    size = sum(len(state.data) for state in [*deleted.values(), *created.values()])
    if size > _BYTES:
        return {}
    by_name: defaultdict[str, list[str]] = defaultdict(list)
    for old in deleted:
        by_name[_name(old)].append(old)
    all_pairs = len(deleted) * len(created) <= _PAIRS
    pairs = [
        (old, new)
        for new, now in created.items()
        for old in (deleted if all_pairs else by_name[_name(new)][:10])
        if _sizes_allow(len(deleted[old].data), len(now.data))
    ]
    before = {path: _lines(deleted[path].data) for path in {old for old, _ in pairs}}
    after = {path: _lines(created[path].data) for path in {new for _, new in pairs}}
    scored = []
    for old, new in pairs:
        score = _similarity(deleted[old].data, created[new].data, before[old], after[new])
        if score >= _ALIKE:
            scored.append((-score, _name(old) != _name(new), new, old))
    renames: dict[str, str] = {}
    used = set()
    for _, _, new, old in sorted(scored):
        if new not in renames and old not in used:
            renames[new] = old
            used.add(old)
    return renames


def _sizes_allow(one: int, other: int) -> bool:
    return min(one, other) * 100 >= max(one, other) * _ALIKE > 0


def _similarity(one: bytes, other: bytes, one_lines: Counter[bytes], other_lines: Counter[bytes]) -> int:
    if one == other:
        return 100
    fewer, more = sorted((one_lines, other_lines), key=len)
    common = sum(len(line) * min(count, more[line]) for line, count in fewer.items())
    return min(99, common * 100 // max(len(one), len(other), 1))


def _lines(data: bytes) -> Counter[bytes]:
    return Counter(io.BytesIO(data).readlines())


def _name(path: str) -> str:
    return path.rpartition("/")[2]
