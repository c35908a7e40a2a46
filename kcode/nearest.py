"""The names that someone may have meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest_paths(path: str, paths: Iterable[str], most: int = 5) -> list[str]:
    """Paths with the same last name first, then those whose name or whole path is spelled alike."""
    known = list(dict.fromkeys(paths))
    name = path.rsplit("/", 1)[-1].lower()
    by_name: dict[str, list[str]] = {}
    for one in known:
        by_name.setdefault(one.rsplit("/", 1)[-1].lower(), []).append(one)
    found = list(by_name.get(name, []))
    for close in difflib.get_close_matches(name, by_name, n=most, cutoff=0.7):
        found += by_name[close]
    if len(found) < most and len(known) <= 5000:  # the whole paths are compared only where that is quick
        found += difflib.get_close_matches(path, known, n=most, cutoff=0.8)
    return list(dict.fromkeys(found))[:most]
