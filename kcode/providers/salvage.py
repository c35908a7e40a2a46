"""Tool calls that a host let through as text, in K2's own tokens, whole or damaged.

The grammar is SECTION_BEGIN (BEGIN id ARGUMENTS json END)+ SECTION_END. Only the ARGUMENTS token is never missing: hosts
eat the others, write the section's in the singular, or let noise in between.
"""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from kcode.messages import ToolCall
from kcode.providers.quoting import OPENING_MARKS

if TYPE_CHECKING:
    from kcode.providers.quoting import Quotes
    from kcode.providers.toolnames import ToolNames

BEGIN, ARGUMENTS, END = "<|tool_call_begin|>", "<|tool_call_argument_begin|>", "<|tool_call_end|>"
_SECTION_BEGINS = ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>")
_SECTION_ENDS = ("<|tool_calls_section_end|>", "<|tool_call_section_end|>")
TOKENS = (BEGIN, ARGUMENTS, END, *_SECTION_BEGINS, *_SECTION_ENDS)
TOKEN = re.compile("|".join(map(re.escape, TOKENS)))
LONGEST_ID = 200
CLOSE_THOUGHT = "</think>"

_MANY_CALLS = 1000
# What is longer stands between two tokens because the model writes about them.
_LONGEST_NOISE = 80
_JSON = json.JSONDecoder(strict=False)
# An id without a begin token is the last word; its counter may stand in the next line.
_PART = r"[^\s<>\"`" + "".join(sorted(OPENING_MARKS))
_LAST_WORD = re.compile(rf"(?:{_PART}:]+\s*:\s*\d+|{_PART}]+)\s*\Z")
_SPACE = re.compile(r"\s*")
_UNFINISHED = re.compile(r"\s*([\w.:\-]*)\s*(<[|\w]*)?")


@dataclass(frozen=True, slots=True)
class Leak:
    """What a text with leaked tokens comes to.

    `calls` are those of declared tools, `text` is what is left without them; when there are none it is the text as it
    was, without empty sections. `has_prose` tells of words beside the grammar, `is_bare` that there are only tokens.
    `thought_end` is the place of the first `</think>` outside of the calls.
    """

    calls: tuple[ToolCall, ...]
    text: str
    has_prose: bool
    is_bare: bool
    thought_end: int | None


def is_partial_token(text: str | None) -> bool:
    """True for the beginning of a token, or nothing."""
    return not text or any(token.startswith(text) for token in TOKENS)


def read_leak(held: str, before: str, quotes: Quotes, names: ToolNames) -> Leak:
    """Read the text `held`, which follows `before`; `quotes` has read all up to `held`."""
    reader = _Reader(before + held, len(before), copy.copy(quotes), names)
    reader.read_all()
    removed = {_Kind.CALL, _Kind.EMPTY_SECTION} | ({_Kind.TOKEN, _Kind.NOISE} if reader.calls else set())
    return Leak(
        calls=tuple(reader.calls),
        text=reader.without(removed),
        has_prose=not _is_blank(reader.without(set(_Kind) - {_Kind.NOISE})),
        is_bare=_is_blank(reader.without({_Kind.TOKEN, _Kind.EMPTY_SECTION})),
        thought_end=reader.thought_end(),
    )


def _is_blank(text: str) -> bool:
    return not text.strip()


class _Kind(Enum):
    CALL = auto()
    UNKNOWN_CALL = auto()
    EMPTY_SECTION = auto()
    TOKEN = auto()
    NOISE = auto()


class _Span(NamedTuple):
    start: int
    end: int
    kind: _Kind


class _Arguments(NamedTuple):
    text: str
    end: int
    is_whole: bool


class _Reader:
    """One pass over the tokens of a text.

    Tokens and calls with nothing but white space between them form a run, which is quoted as a whole or not at all.
    `_at` is the run's end so far, and `_last` its last token, "" after a call.
    """

    def __init__(self, text: str, start: int, quotes: Quotes, names: ToolNames) -> None:
        self.calls: list[ToolCall] = []
        self._spans: list[_Span] = []
        self._text = text
        self._start = self._at = self._read = start
        self._quotes = quotes
        self._names = names
        self._in_run = self._is_quoted = self._in_section = False
        self._last = ""

    def read_all(self) -> None:
        found = 0
        while (token := TOKEN.search(self._text, self._at)) and found < _MANY_CALLS:
            if token[0] == ARGUMENTS:
                found += 1
                self._take_call(token)
            else:
                if self._last == BEGIN:
                    self._take_unfinished(token.start())
                self._take_token(token)
        if not token:
            self._take_unfinished(len(self._text))

    def without(self, kinds: set[_Kind]) -> str:
        """The text from its start, without what is of these kinds."""
        left: list[str] = []
        at = self._start
        for span in self._spans:
            if span.kind in kinds:
                left.append(self._text[at : span.start])
                at = max(at, span.end)
        return "".join([*left, self._text[at:]])

    def thought_end(self) -> int | None:
        """Where the first `</think>` stands that is in no call, counted from the text's start."""
        at = self._text.find(CLOSE_THOUGHT, self._start)
        for span in self._spans:
            if span.kind is not _Kind.NOISE and span.start <= at < span.end:
                at = self._text.find(CLOSE_THOUGHT, span.end)
        return at - self._start if at >= 0 else None

    def _take_token(self, token: re.Match[str]) -> None:
        start = self._enter(token.start())
        last, self._last, self._at = self._last, token[0], token.end()
        if self._is_quoted:
            self._quotes.mention()
            return
        self._read = token.end()
        kind = _Kind.TOKEN
        if token[0] in _SECTION_BEGINS:
            self._in_section = True
        elif token[0] in _SECTION_ENDS:
            self._in_section = False
            if last in _SECTION_BEGINS and self._spans[-1].end == start:
                start, kind = self._spans.pop().start, _Kind.EMPTY_SECTION
        self._spans.append(_Span(start, token.end(), kind))

    def _take_call(self, token: re.Match[str]) -> None:
        header = self._text[self._at : token.start()]
        if self._last == BEGIN and len(header) <= LONGEST_ID:
            begin = word = self._at
        else:
            begin, word = self._last_word(token.start())
            header = self._text[word : token.start()]
        start = self._enter(begin)
        self._is_quoted = self._is_quoted or self._text[word - 1 : word] in OPENING_MARKS
        arguments = self._arguments_from(token.end())
        last, self._last, self._at = self._last, "", arguments.end
        if self._is_quoted:
            self._quotes.mention()
            return
        self._read = arguments.end
        if last == BEGIN and self._spans and self._spans[-1].end == start:
            start = self._spans.pop().start
        written = "".join(header.split())
        name = self._names.find_for_call(written, arguments.text) if written or last else None
        kind = _Kind.UNKNOWN_CALL
        if not (arguments.is_whole or arguments.text):
            kind = _Kind.TOKEN  # cut before its first argument: nobody made this call
        elif name is not None:
            kind = _Kind.CALL
            self.calls.append(ToolCall(written or name, name, arguments.text))
        self._spans.append(_Span(start, arguments.end, kind))

    def _last_word(self, end: int) -> tuple[int, int]:
        """Where the id before `end` starts, as far as it is in the held text, and where it really does."""
        least = self._at if self._in_run else 0
        found = _LAST_WORD.search(self._text[max(least, end - LONGEST_ID) : end])
        word = end - len(found[0]) if found else end
        # An id in the middle of a line was shown before its token came, and stays shown.
        return (word if word >= self._start else end), word

    def _enter(self, start: int) -> int:
        """Go on to what starts here, in the same run or a new one; returns where its span starts."""
        gap = self._text[self._at : start]
        if self._in_run and not gap.strip():
            return self._at
        self._quotes.read(self._text[self._read : start])
        self._read = start
        was_quoted, self._is_quoted = self._is_quoted, self._quotes.is_open
        if self._in_run and self._in_section and not (was_quoted or self._is_quoted) and len(gap) <= _LONGEST_NOISE:
            self._spans.append(_Span(self._at, start, _Kind.NOISE))
        self._in_run = True
        self._last = ""
        return start

    def _arguments_from(self, at: int) -> _Arguments:
        space = _SPACE.match(self._text, at)
        start = end = space.end() if space else at
        is_object = False
        try:
            value, end = _JSON.raw_decode(self._text, start)
            is_object = isinstance(value, dict)
        except (ValueError, RecursionError):
            pass
        token = TOKEN.search(self._text, end)
        closing = token if token and token[0] == END else None
        if is_object and not (token and self._text[end : token.start()].strip()):
            return _Arguments(self._text[start:end], closing.end() if closing else end, is_whole=True)
        if is_object and not closing:
            return _Arguments(self._text[start:end], end, is_whole=True)
        stop = token.start() if token else len(self._text)
        end = closing.end() if closing else stop
        return _Arguments(self._text[start:stop].strip(), end, is_whole=token is not None)

    def _take_unfinished(self, end: int) -> None:
        """What was to become an id or the next token is no text."""
        rest = self._text[self._at : end]
        if self._is_quoted or not self._in_run or len(rest) > LONGEST_ID:
            return
        found = _UNFINISHED.fullmatch(rest)
        if found and (self._last in {BEGIN, *_SECTION_BEGINS} or not found[1]) and is_partial_token(found[2]):
            self._spans.append(_Span(self._at, end, _Kind.TOKEN))
            self._at = self._read = end
