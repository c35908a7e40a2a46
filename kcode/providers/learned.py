"""What the endpoints taught about themselves, kept from run to run in one file outside every repository.

    {"https://host/v1 MODEL": {"date": "2026-11-27", "window": 131072, "dialect": {"temperature": "omit"}}}

It is a memory, not a setting: whatever cannot be read or written is gone, and learned again.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from kcode.errors import KcodeError, UsageError
from kcode.folders import make_folder
from kcode.providers.dialects import REASONING_KEYS, ReasoningKey, change_dialect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kcode.providers.dialects import Profile

# An endpoint may be another tomorrow: a server started with a larger window, a proxy that was updated.
_KEPT = timedelta(days=14)
_BIGGEST_FILE = 1_000_000
_MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Learned:
    """What one endpoint taught about one model.

    `reasoning` is the key under which its reasoning comes; `dialect` holds fields of the dialect, `window` and
    `output_limit` are in tokens.
    """

    reasoning: ReasoningKey | None = None
    dialect: Mapping[str, Any] = field(default_factory=dict)
    window: int | None = None
    output_limit: int | None = None

    def applied_to(self, profile: Profile) -> Profile:
        """The profile as the endpoint is known to take it."""
        try:
            dialect = change_dialect(profile.dialect, self.dialect, "learned")
        except UsageError:
            dialect = profile.dialect  # another version's words
        window = min(self.window or profile.window, profile.window)
        limit = self.output_limit
        if limit is None or (profile.output_limit is not None and profile.output_limit < limit):
            limit = profile.output_limit
        return replace(profile, dialect=dialect, window=window, output_limit=limit)


@dataclass(frozen=True, slots=True)
class EndpointMemory:
    """The part of the file at `path` that is about one base URL. Fields that the user set, `explicit`, are not recalled."""

    path: Path
    base_url: str
    today: date
    explicit: frozenset[str] = frozenset()

    def recall(self, model: str) -> Learned:
        """What is known of the model at this endpoint."""
        learned = read_learned(self.path, f"{self.base_url} {model}", self.today)
        dialect = {name: value for name, value in learned.dialect.items() if name not in self.explicit}
        return replace(learned, dialect=dialect)

    def keep(self, model: str, learned: Learned) -> None:
        """Keep what was learned for the next runs."""
        write_learned(self.path, f"{self.base_url} {model}", learned, self.today)


def learned_between(before: Profile, after: Profile, reasoning: ReasoningKey | None) -> Learned:
    """What a run taught: how the profile at its end differs from the one that the table gives."""
    names = ("reasoning_out", "missing_reasoning", "tool_ids", "empty_content", "name_results", "max_tokens_key",
             "temperature", "include_usage", "cache_key")  # fmt: skip
    changed = {n: getattr(after.dialect, n) for n in names if getattr(after.dialect, n) != getattr(before.dialect, n)}
    return Learned(
        reasoning,
        changed,
        after.window if after.window != before.window else None,
        after.output_limit if after.output_limit != before.output_limit else None,
    )


def read_learned(path: Path, name: str, today: date) -> Learned:
    """What is known of the endpoint and model of that name; nothing where the file says nothing that can be used."""
    entry = _read(path).get(name)
    if not isinstance(entry, dict) or not _is_fresh(entry, today):
        return Learned()
    dialect, reasoning = entry.get("dialect"), entry.get("reasoning")
    return Learned(
        reasoning if reasoning in REASONING_KEYS else None,
        dialect if isinstance(dialect, dict) else {},
        _size(entry.get("window")),
        _size(entry.get("output_limit")),
    )


def write_learned(path: Path, name: str, learned: Learned, today: date) -> None:
    """Keep what was learned in the place of what was known before. A file that cannot be written is let be."""
    entries = {key: entry for key, entry in _read(path).items() if isinstance(entry, dict) and _is_fresh(entry, today)}
    entries.pop(name, None)
    entry = {
        "date": today.isoformat(),
        "reasoning": learned.reasoning,
        "dialect": dict(learned.dialect),
        "window": learned.window,
        "output_limit": learned.output_limit,
    }
    entries[name] = {key: value for key, value in entry.items() if value not in (None, {})}
    kept = dict(list(entries.items())[-_MOST_ENTRIES:])
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError, KcodeError):
        make_folder(path.parent)
        beside.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)


def _read(path: Path) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > _BIGGEST_FILE:
            return {}
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_fresh(entry: Mapping[str, Any], today: date) -> bool:
    try:
        return abs(today - date.fromisoformat(str(entry.get("date")))) <= _KEPT
    except ValueError:
        return False


def _size(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 1024 else None
