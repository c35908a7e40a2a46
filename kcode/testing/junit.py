"""Reading JUnit XML: what pytest, ctest, PHPUnit and others can write."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from kcode.testing.outcome import Outcome, failure, unique

_LARGEST = 50_000_000


@dataclass(slots=True)
class _Case:
    attributes: dict[str, str]
    verdict: str = "passed"
    messages: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    @property
    def detail(self) -> str:
        """What was said, once: many runners put into the message the beginning of the text, or an excerpt of it."""
        text = "".join(self.text)
        # pytest's message is made of its lines that begin with E, at times shortened.
        if text.startswith("E  ") or "\nE  " in text:
            return text
        new = [message for message in self.messages if message.strip().partition("\n")[0] not in text]
        return "\n".join([*new, text])


class _Reader:
    """Collects the test cases while expat reads. A document type is refused: it could hold entities that expand."""

    def __init__(self) -> None:
        self.cases: list[_Case] = []
        self._inside = ""

    def read(self, data: bytes) -> None:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.Parse(data, True)

    def _refuse(self, *_: object) -> None:
        raise ValueError("the report has a document type")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "testcase":
            self.cases.append(_Case(attributes))
            # CTest tells in an attribute what others tell in elements.
            if attributes.get("status") in {"notrun", "disabled"}:
                self.cases[-1].verdict = "skipped"
        elif self.cases and name in {"failure", "error", "skipped"}:
            case = self.cases[-1]
            if case.verdict != "failed":
                case.verdict = "skipped" if name == "skipped" else "failed"
            self._inside = name
            if name == "skipped":
                return
            case.messages.append(attributes.get("message", ""))
            if case.text:
                case.text.append("\n")

    def _end(self, name: str) -> None:
        if name == self._inside:
            self._inside = ""

    def _text(self, text: str) -> None:
        if self._inside in {"failure", "error"}:
            self.cases[-1].text.append(text)


def read_junit(data: bytes) -> Outcome | None:
    """What the report says; None for one that is no JUnit XML, too large, or holds a document type."""
    if not data or len(data) > _LARGEST:
        return None
    reader = _Reader()
    try:
        reader.read(data)
    except (expat.ExpatError, ValueError):
        return None
    failures = [failure(_name_of(case.attributes), case.detail) for case in reader.cases if case.verdict == "failed"]
    skipped = sum(case.verdict == "skipped" for case in reader.cases)
    passed = len(reader.cases) - skipped - len(failures)
    ran = frozenset(_name_of(case.attributes) for case in reader.cases if case.verdict != "skipped")
    return Outcome(passed, len(failures), skipped, unique(failures), ran)


def _name_of(attributes: dict[str, str]) -> str:
    """The name as its runner takes it back: pytest's `path::Class::name`, else `Class.name`."""
    name, owner, file = (attributes.get(key, "") for key in ("name", "classname", "file"))
    module = file.removesuffix(".py").replace("/", ".")
    if file.endswith(".py") and (owner == module or owner.startswith(f"{module}.")):
        inner = owner.removeprefix(module).strip(".").replace(".", "::")
        return "::".join(part for part in (file, inner, name) if part)
    if not owner:
        # What could not be collected is named as a module.
        return file if file.endswith(".py") and name == module else name
    return name if name.startswith(owner) or owner == name else f"{owner}.{name}"
