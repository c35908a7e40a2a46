"""vi's keys as a state machine over a text and a caret: what is pressed, and what becomes of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Literal

from kcode.tui.motions import OBJECTS, Kind, Motion, first_nonblank, line_end, line_start, move, text_object

Effect = Literal["undo", "redo", "older", "newer"]

_OPERATORS = frozenset("dcy")
_MOTIONS = frozenset("hl jk0^$wWbBeEG")
_WITH_CHARACTER = frozenset("fFtTr")
_ACTIONS = frozenset({*"xXDCsSYpPuiaIAoO~J.vV;,", "ctrl+r"})
_NAMED = {"left": "h", "right": "l", "up": "k", "down": "j", "home": "0", "end": "$", "backspace": "h", "space": " "}
# What these stand for, as operator and motion.
_SHORT = {"x": ("d", "l"), "X": ("d", "h"), "D": ("d", "$"), "C": ("c", "$"), "s": ("c", "l"), "S": ("c", "line"), "Y": ("y", "line")}  # fmt: skip
_OPPOSITE = {"f": "F", "F": "f", "t": "T", "T": "t"}
_MOST = 1000


class Mode(Enum):
    INSERT = "insert"
    NORMAL = "normal"
    VISUAL = "visual"
    VISUAL_LINE = "visual line"


@dataclass(frozen=True, slots=True)
class Command:
    """A command typed whole; `name` is "" for keys that mean nothing."""

    name: str
    argument: str = ""
    count: int | None = None
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Vim:
    """`typing` are the keys of a command that is not whole yet; `change` and `inserted` are what `.` does again.

    `began` is the text and the caret's place where inserting began.
    """

    mode: Mode = Mode.INSERT
    typing: tuple[str, ...] = ()
    anchor: int = 0
    register: str = ""
    holds_lines: bool = False
    sought: tuple[str, str] | None = None
    change: Command | None = None
    inserted: str = ""
    began: tuple[str, int] = ("", 0)

    @property
    def is_inserting(self) -> bool:
        return self.mode is Mode.INSERT

    @property
    def is_selecting(self) -> bool:
        return self.mode in {Mode.VISUAL, Mode.VISUAL_LINE}


@dataclass(frozen=True, slots=True)
class Pressed:
    vim: Vim
    text: str
    caret: int
    effect: Effect | None = None


def press(vim: Vim, text: str, caret: int, key: str) -> Pressed:
    """What a key does; a printable one is its character, any other has Textual's name.

    While inserting only `escape` is vi's: what is typed goes into the text by other ways.
    """
    caret = min(max(caret, 0), len(text))
    if vim.mode is Mode.INSERT:
        return _leave_insert(vim, text, caret) if key == "escape" else Pressed(vim, text, caret)
    if key == "escape":
        return _settled(replace(vim, mode=Mode.NORMAL, typing=()), text, caret)
    keys = (*vim.typing, key)
    command = read_command(keys, visual=vim.mode is not Mode.NORMAL)
    if command is None:
        return Pressed(replace(vim, typing=keys), text, caret)
    vim = replace(vim, typing=())
    return _carry_out(vim, text, caret, command) if command.name else _settled(vim, text, caret)


def enter_insert(vim: Vim, text: str, caret: int) -> Vim:
    return replace(vim, mode=Mode.INSERT, typing=(), began=(text, caret))


def selection(vim: Vim, text: str, caret: int) -> tuple[int, int] | None:
    """From where up to where the text is selected; None outside the visual modes."""
    if vim.mode not in {Mode.VISUAL, Mode.VISUAL_LINE}:
        return None
    first, last = sorted((min(vim.anchor, len(text)), caret))
    if vim.mode is Mode.VISUAL_LINE:
        return line_start(text, first), min(line_end(text, last) + 1, len(text))
    return first, min(last + 1, len(text))


def read_command(keys: tuple[str, ...], *, visual: bool = False) -> Command | None:
    """The command that these keys are; None while more keys are needed."""
    at, count = _read_count(keys, 0)
    if at == len(keys):
        return None
    operator = ""
    if not visual and keys[at] in _OPERATORS:
        operator = keys[at]
        at, second = _read_count(keys, at + 1)
        count = min((count or 1) * (second or 1), _MOST) if count or second else None
        if at == len(keys):
            return None
        if keys[at] == operator:
            return Command("line", count=count, operator=operator)
    key = _NAMED.get(keys[at], keys[at])
    rest = keys[at + 1 :]
    if key == "g" or key in _WITH_CHARACTER or (key in {"i", "a"} and (operator or visual)):
        return _with_argument(key, rest, count, operator) if rest else None
    if key in _MOTIONS:
        return Command(key, "", count, operator)
    if visual and key in {"d", "x", "y", "c", "s"}:
        return Command("selected", count=count, operator={"x": "d", "s": "c"}.get(key, key))
    if visual and key == "o":
        return Command("other end")
    if operator and key not in {";", ","}:
        return Command("")
    return Command(key, "", count, operator) if key in _ACTIONS else Command("")


def _read_count(keys: tuple[str, ...], at: int) -> tuple[int, int | None]:
    digits = ""
    while at < len(keys) and keys[at] in set("0123456789") and (digits or keys[at] != "0"):
        digits += keys[at]
        at += 1
    return at, min(int(digits[:6]), _MOST) if digits else None


def _with_argument(key: str, rest: tuple[str, ...], count: int | None, operator: str) -> Command:
    argument = " " if rest[0] == "space" else rest[0]
    if key == "g":
        return Command("gg", "", count, operator) if argument == "g" else Command("")
    if key in _WITH_CHARACTER:
        is_known = len(argument) == 1 and not (key == "r" and operator)
        return Command(key, argument, count, operator) if is_known else Command("")
    return Command("object", key + argument, count, operator) if argument in OBJECTS else Command("")


def _carry_out(vim: Vim, text: str, caret: int, command: Command) -> Pressed:
    if command.name in {"u", "ctrl+r"}:
        return Pressed(vim, text, caret, "undo" if command.name == "u" else "redo")
    if command.name == ".":
        return _again(vim, text, caret)
    if command.name in _SHORT and vim.mode is Mode.NORMAL:
        operator, name = _SHORT[command.name]
        command = replace(command, operator=operator, name=name)
    if vim.mode is not Mode.NORMAL:
        return _visual(vim, text, caret, command)
    if command.operator:
        return _operate(vim, text, caret, command)
    if command.name in {"v", "V"}:
        mode = Mode.VISUAL if command.name == "v" else Mode.VISUAL_LINE
        return _settled(replace(vim, mode=mode, anchor=caret), text, caret)
    if command.name in set("iaIAoO"):
        return _begin_insert(replace(vim, change=command), text, caret, command.name)
    if command.name in set("pPr~J"):
        return _edit(replace(vim, change=command), text, caret, command)
    return _move(vim, text, caret, command)


def _move(vim: Vim, text: str, caret: int, command: Command) -> Pressed:
    vim, found = _motion(vim, text, caret, command)
    if found is None:
        effect: Effect | None = {"k": "older", "j": "newer"}.get(command.name) if vim.mode is Mode.NORMAL else None  # type: ignore[assignment]
        return replace(_settled(vim, text, caret), effect=effect)
    return _settled(vim, text, found.target)


def _motion(vim: Vim, text: str, caret: int, command: Command) -> tuple[Vim, Motion | None]:
    name, argument = command.name, command.argument
    if name in {";", ","}:
        if vim.sought is None:
            return vim, None
        name, argument = vim.sought
        name = name if command.name == ";" else _OPPOSITE[name]
    elif name in _OPPOSITE:
        vim = replace(vim, sought=(name, argument))
    return vim, move(name, argument, command.count, text, caret)


def _operate(vim: Vim, text: str, caret: int, command: Command) -> Pressed:
    vim, reach = _reach(vim, text, caret, command)
    if reach is None:
        return _settled(vim, text, caret)
    if command.operator != "y":
        vim = replace(vim, change=command)
    return _apply(vim, text, command.operator, *reach, caret)


def _reach(vim: Vim, text: str, caret: int, command: Command) -> tuple[Vim, tuple[int, int, bool] | None]:
    """From where up to where the operator acts, and whether on whole lines."""
    if command.name == "line":
        last = caret
        for _ in range((command.count or 1) - 1):
            last = min(line_end(text, last) + 1, len(text))
        return vim, (line_start(text, caret), line_end(text, last), True)
    if command.name == "object":
        found = text_object(command.argument, text, caret)
        return vim, (*found, False) if found else None
    # vi's own exception: cw changes the word, not the blanks behind it.
    if command.operator == "c" and command.name in {"w", "W"} and text[caret : caret + 1].strip():
        command = replace(command, name="e" if command.name == "w" else "E")
        caret_for_end = caret - 1 if _ends_word(text, caret, command.name == "E") else caret
        vim, motion = _motion(vim, text, caret_for_end, command)
        return vim, (caret, min(motion.target + 1, len(text)), False) if motion else None
    vim, motion = _motion(vim, text, caret, command)
    if motion is None:
        return vim, None
    first, last = sorted((caret, motion.target))
    if motion.kind is Kind.LINES:
        return vim, (line_start(text, first), line_end(text, last), True)
    if motion.kind is Kind.WITH:
        last = min(last + 1, line_end(text, last))
    elif command.name in {"w", "W"} and command.operator and last > line_end(text, first):
        last = max(line_end(text, first), first)  # dw on a line's last word leaves the line's break
    return vim, (first, last, False)


def _ends_word(text: str, at: int, big: bool) -> bool:
    here, after = text[at : at + 1], text[at + 1 : at + 2]
    if not after.strip():
        return True
    return not big and (here.isalnum() or here == "_") != (after.isalnum() or after == "_")


def _apply(vim: Vim, text: str, operator: str, first: int, last: int, lines: bool, caret: int) -> Pressed:
    vim = replace(vim, register=text[first:last], holds_lines=lines, mode=Mode.NORMAL)
    if operator == "y":
        return _settled(vim, text, caret if lines else first)
    if operator == "c":
        changed = text[:first] + text[last:]
        return Pressed(enter_insert(vim, changed, first), changed, first)
    if lines:  # with a line break: the one behind, or before the last line
        last, first = (last + 1, first) if last < len(text) else (last, max(first - 1, 0))
    changed = text[:first] + text[last:]
    return _settled(vim, changed, first_nonblank(changed, min(first, len(changed))) if lines else first)


def _visual(vim: Vim, text: str, caret: int, command: Command) -> Pressed:
    chosen = selection(vim, text, caret)
    if command.name == "selected" and chosen is not None:
        lines = vim.mode is Mode.VISUAL_LINE
        first, last = chosen
        if lines and last > first and text[last - 1 : last] == "\n":
            last -= 1
        return _apply(vim, text, command.operator, first, last, lines, first)
    if command.name == "other end":
        return _settled(replace(vim, anchor=caret), text, vim.anchor)
    if command.name in {"v", "V"}:
        mode = Mode.VISUAL if command.name == "v" else Mode.VISUAL_LINE
        return _settled(replace(vim, mode=Mode.NORMAL if vim.mode is mode else mode), text, caret)
    if command.name == "object":
        found = text_object(command.argument, text, caret)
        return _settled(replace(vim, anchor=found[0]), text, found[1] - 1) if found else _settled(vim, text, caret)
    return _move(vim, text, caret, command)


def _begin_insert(vim: Vim, text: str, caret: int, name: str) -> Pressed:
    start, end = line_start(text, caret), line_end(text, caret)
    if name in {"o", "O"}:
        text, caret = (
            (text[:end] + "\n" + text[end:], end + 1) if name == "o" else (text[:start] + "\n" + text[start:], start)
        )
    else:
        line = text[start:end]
        indented = start + len(line) - len(line.lstrip())
        caret = {"i": caret, "a": min(caret + 1, end), "I": indented, "A": end}[name]
    return Pressed(enter_insert(vim, text, caret), text, caret)


def _edit(vim: Vim, text: str, caret: int, command: Command) -> Pressed:
    times, end = command.count or 1, line_end(text, caret)
    if command.name in {"p", "P"}:
        return _put(vim, text, caret, command.name == "p", times)
    if command.name == "J":
        if end == len(text):
            return _settled(vim, text, caret)
        after = text[end + 1 :].lstrip(" \t")
        return _settled(vim, text[:end].rstrip(" \t") + " " + after, len(text[:end].rstrip(" \t")))
    last = caret + times
    if last > end:
        return _settled(vim, text, caret)
    if command.name == "r":
        return _settled(vim, text[:caret] + command.argument * times + text[last:], last - 1)
    # A character whose other case is longer stays as it is.
    swapped = "".join(new if len(new := one.swapcase()) == 1 else one for one in text[caret:last])
    return _settled(vim, text[:caret] + swapped + text[last:], last)


def _put(vim: Vim, text: str, caret: int, behind: bool, times: int) -> Pressed:
    if not vim.register and not vim.holds_lines:
        return _settled(vim, text, caret)
    if vim.holds_lines:
        piece = "\n".join([vim.register] * times)
        at = line_end(text, caret) if behind else line_start(text, caret)
        changed = text[:at] + ("\n" + piece if behind else piece + "\n") + text[at:]
        return _settled(vim, changed, first_nonblank(changed, at + 1 if behind else at))
    at = min(caret + 1, line_end(text, caret)) if behind else caret
    piece = vim.register * times
    return _settled(vim, text[:at] + piece + text[at:], at + len(piece) - 1)


def _leave_insert(vim: Vim, text: str, caret: int) -> Pressed:
    before, began = vim.began
    typed = len(text) - len(before)
    fits = typed > 0 and text[:began] == before[:began] and text[began + typed :] == before[began:]
    inserted = text[began : began + typed] if fits else ""
    start = line_start(text, caret)
    return _settled(replace(vim, mode=Mode.NORMAL, inserted=inserted), text, max(caret - 1, start))


def _again(vim: Vim, text: str, caret: int) -> Pressed:
    if vim.change is None or vim.mode is not Mode.NORMAL:
        return _settled(vim, text, caret)
    inserted = vim.inserted
    done = _carry_out(vim, text, caret, vim.change)
    if done.vim.mode is not Mode.INSERT:
        return done
    at = done.caret
    text = done.text[:at] + inserted + done.text[at:]
    after = replace(done.vim, mode=Mode.NORMAL, inserted=inserted)
    return _settled(after, text, max(at + len(inserted) - 1, line_start(text, at)))


def _settled(vim: Vim, text: str, caret: int) -> Pressed:
    """With the caret on a character, as it is outside inserting."""
    caret = min(max(caret, 0), len(text))
    start, end = line_start(text, caret), line_end(text, caret)
    return Pressed(vim, text, min(caret, max(end - 1, start)))
