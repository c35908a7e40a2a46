"""The review in the draft's folder: put there whole after each thing that the user does, so that it survives a kill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.draft import disk
from kcode.draft.layout import Layout, Part
from kcode.draft.outcome import Outcome
from kcode.draft.review import Commented, Cut, Decided, Decision, Divided, Edited, Rejection, Review, TakenOut
from kcode.draft.versions import digest_of
from kcode.errors import DraftError

if TYPE_CHECKING:
    from pathlib import Path

    from kcode.draft.review import Act

_NAME, _VERSION = "review.json", 1
_FATES = {"applied", "rejected", "edited", "commented", "open"}


def save_review(draft_folder: Path, review: Review) -> None:
    """Keep the review. DraftError when the folder cannot take it; the one from before is then still there."""
    value = {
        "version": _VERSION,
        "acts": [_encode_act(act) for act in review.acts],
        "layouts": {path: [_encode_layout(layout) for layout in known] for path, known in review.layouts.items()},
        "outcomes": [_encode_outcome(outcome) for outcome in review.outcomes],
        "parts": sorted(review.parts),
        "rejection": review.rejection and _encode_rejection(review.rejection),
    }
    with disk.naming_full_disk(draft_folder):
        disk.write_json(draft_folder / _NAME, value)


def load_review(draft_folder: Path) -> tuple[Review, str]:
    """The review that was kept, and "" or what the user must know.

    One that is damaged, or that another kcode wrote, counts as not there; it is kept beside under another name.
    """
    path = draft_folder / _NAME
    try:
        stored = disk.read_json(path)
        return (Review() if stored is None else _decode(stored)), ""
    except (DraftError, KeyError, TypeError, ValueError, AttributeError):
        kept = disk.set_aside(path)
        return Review(), (
            "What was decided about single hunks cannot be read: it is damaged, or another version of kcode wrote it. "
            f"All hunks count as undecided; the proposal itself is whole. What was read is kept as {kept}."
        )


def _encode_act(act: Act) -> dict[str, Any]:
    match act:
        case Decided(keys, decision):
            return {"act": "decided", "keys": list(keys), "decision": decision.value}
        case Commented(key, text, told):
            return {"act": "commented", "key": key, "text": text, "told": told}
        case Divided(identity, cut):
            return {"act": "divided", "id": identity, "old": cut.old, "new": cut.new}
        case Edited(identity, lines):
            return {"act": "edited", "id": identity, "lines": _texts(lines)}


def _encode_layout(layout: Layout) -> dict[str, Any]:
    parts = [[part.id, part.old_from, part.old_count, part.new_count, part.lines] for part in layout.parts]
    return {"before": layout.before, "after": layout.after, "parts": parts}


def _encode_outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "fate": outcome.fate,
        "path": outcome.path,
        "id": outcome.id,
        "line": outcome.line,
        "old_lines": _texts(outcome.old_lines),
        "new_lines": _texts(outcome.new_lines),
        "edited": None if outcome.edited is None else _texts(outcome.edited),
        "comment": outcome.comment,
        "is_part": outcome.is_part,
    }


def _decode(stored: Any) -> Review:
    if stored["version"] != _VERSION:
        raise ValueError("another version")
    layouts = {
        _text(path): tuple(_decode_layout(layout) for layout in known) for path, known in stored["layouts"].items()
    }
    outcomes = tuple(_decode_outcome(outcome) for outcome in stored["outcomes"])
    rejection = None if stored["rejection"] is None else _decode_rejection(stored["rejection"])
    acts = tuple(_decode_act(act) for act in stored["acts"])
    parts = frozenset(_text(identity) for identity in stored.get("parts", ()))
    return Review(acts, layouts, outcomes, rejection, parts)


def _decode_act(stored: Any) -> Act:
    match stored["act"]:
        case "decided":
            return Decided(tuple(_text(key) for key in stored["keys"]), Decision(stored["decision"]))
        case "commented":
            return Commented(_text(stored["key"]), _text(stored["text"]), bool(stored["told"]))
        case "divided":
            return Divided(_text(stored["id"]), Cut(_number(stored["old"]), _number(stored["new"])))
        case "edited":
            return Edited(_text(stored["id"]), _lines(stored["lines"]))
        case kind:
            raise ValueError(f"{kind!r} is nothing that a user does")


def _decode_layout(stored: Any) -> Layout:
    parts = tuple(
        Part(_text(identity), _number(start), _number(old), _number(new), _text(lines))
        for identity, start, old, new, lines in stored["parts"]
    )
    return Layout(_text(stored["before"]), _text(stored["after"]), parts)


def _decode_outcome(stored: Any) -> Outcome:
    fate = stored["fate"]
    if fate not in _FATES:
        raise ValueError(f"{fate!r} is no fate of a hunk")
    return Outcome(
        fate,
        _text(stored["path"]),
        _text(stored["id"]),
        _number(stored["line"]),
        _lines(stored["old_lines"]),
        _lines(stored["new_lines"]),
        None if stored["edited"] is None else _lines(stored["edited"]),
        _text(stored["comment"]),
        bool(stored.get("is_part", False)),
    )


def _encode_rejection(rejection: Rejection) -> dict[str, Any]:
    files = [[taken.path, taken.was, taken.became] for taken in rejection.files]
    return {"keys": list(rejection.keys), "files": files, "bases": dict(rejection.bases)}


def _decode_rejection(stored: Any) -> Rejection:
    files = tuple(TakenOut(_text(path), digest_of(was), digest_of(became)) for path, was, became in stored["files"])
    bases = {_text(path): digest_of(base) for path, base in stored.get("bases", {}).items()}
    return Rejection(tuple(_text(key) for key in stored["keys"]), files, bases)


def _texts(lines: tuple[bytes, ...]) -> list[str]:
    # Every byte is a character of this encoding, so that any line comes back as it was.
    return [line.decode("latin-1") for line in lines]


def _lines(stored: Any) -> tuple[bytes, ...]:
    return tuple(_text(line).encode("latin-1") for line in stored)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or value < 0:
        raise TypeError(f"{value!r} is no count")
    return value
