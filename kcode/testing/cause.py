"""Which failures are alike: what is left of a failure once the names and numbers of its own test are taken out."""

from __future__ import annotations

import re

# A place in a file stays as it is; addresses and numbers elsewhere differ between runs and parameters.
_VARYING = re.compile(r"(?P<place>[\w./\\-]+\.\w+:\d+(?::\d+)?)|0x[0-9a-fA-F]+|\d+(?:\.\d+)?")
_ERROR = re.compile(r"^[^\w\n]*([\w.]*(?:Error|Exception|Failure|Exit|Interrupt)\b.*)$", re.MULTILINE)
_PLACES = (r"^(\S+:\d+): in ", r'^\s*File "(.+?", line \d+)')
_LONGEST, _MOST_READ = 2_000, 20_000


def find_cause(name: str, detail: str) -> str:
    """A key that is the same for failures which one mistake seems to explain; "" for a failure without detail.

    An error that says what is wrong is known by its message, wherever it was raised. One that says only that something
    did not hold, as `assert 1 == 2`, is known by its place as well; what has no error line, by all that was said.
    """
    detail = detail[-_MOST_READ:]
    message = _message(detail)
    if not message:
        return _without_own(name, detail.strip()[:_LONGEST])
    key = _without_own(name, message)
    return key if _tells_why(key) else f"{key} at {_place(detail)}"


def _message(detail: str) -> str:
    """The error line: where pytest is, the first after an E; of a chain of Python's exceptions the last, elsewhere the first."""
    marked = re.search(r"^E  +(\S.*)$", detail, re.MULTILINE)
    if marked:
        return marked[1][:_LONGEST]
    errors = _ERROR.findall(detail)
    return str(errors[-1 if "Traceback (most recent call last)" in detail else 0])[:_LONGEST] if errors else ""


def _tells_why(key: str) -> bool:
    kind, _, told = key.partition(":")
    is_check = key.startswith("assert ") or "assert" in kind.lower() or kind.startswith("Fail")
    return not is_check and (re.search(r"[a-z]", told.replace("NAME", "")) is not None or not _ERROR.match(kind))


def _place(detail: str) -> str:
    found = [match for pattern in _PLACES for match in re.findall(pattern, detail, re.MULTILINE)]
    if not found:
        found = re.findall(r"[\w./\\-]+\.\w+:\d+(?::\d+)?", detail)[:1]
    return found[-1] if found else ""


def _without_own(name: str, text: str) -> str:
    whole = name.partition(" ")[0]
    last = re.split(r"::|[.#>/]", whole.partition("[")[0])[-1]
    for own in sorted({name, whole, last}, key=len, reverse=True):
        if len(own) > 3:
            text = re.sub(rf"(?<!\w){re.escape(own)}(?![a-zA-Z_])", "NAME", text)
    return _VARYING.sub(lambda found: found["place"] or "N", text)
