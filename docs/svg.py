"""What a terminal shows, as an SVG that needs nothing from anywhere: one picture, or a film of many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.color import ColorType
from rich.color_triplet import ColorTriplet
from rich.terminal_theme import TerminalTheme

if TYPE_CHECKING:
    from rich.color import Color
    from rich.segment import Segment
    from rich.style import Style
    from textual.strip import Strip

CELL, ROW, SIZE = 8.43, 18.0, 14
EDGE, HEAD = 14.0, 34.0
_GAPS = re.compile(r"(^ +| {2,}| +$)")
# What a terminal is likely to have for the sixteen colours, its paper and its ink.
TERMINAL = TerminalTheme(
    (16, 18, 23),
    (215, 218, 224),
    [(38, 42, 51), (222, 99, 92), (116, 184, 106), (208, 164, 82), (98, 150, 232), (178, 130, 214), (90, 178, 186), (196, 200, 208)],
    [(112, 119, 132), (242, 139, 130), (126, 207, 143), (230, 180, 85), (127, 180, 255), (195, 159, 240), (127, 209, 199), (242, 244, 248)],
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """How a run of text is drawn."""

    ink: str
    paper: str
    marks: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look: `at` is its first cell, `cells` how many it takes."""

    at: int
    cells: int
    text: str
    look: Look


Picture = Sequence["tuple[Run, ...]"]


@dataclass(frozen=True, slots=True)
class Frame:
    """What is seen from this second on."""

    second: float
    picture: Picture


def read_strip(strip: Strip, theme: TerminalTheme = TERMINAL) -> tuple[Run, ...]:
    """A row of the screen; neighbours of one look are one run."""
    runs: list[Run] = []
    at = 0
    for segment in strip:
        look, cells = _look_of(segment, theme), cell_len(segment.text)
        last = runs[-1] if runs else None
        if last is not None and last.look == look:
            runs[-1] = Run(last.at, last.cells + cells, last.text + segment.text, look)
        elif cells:
            runs.append(Run(at, cells, segment.text, look))
        at += cells
    return tuple(runs)


def _look_of(segment: Segment, theme: TerminalTheme) -> Look:
    style = segment.style
    if style is None:
        return Look(theme.foreground_color.hex, theme.background_color.hex)
    ink, paper = _triplet(style.color, theme, is_ink=True), _triplet(style.bgcolor, theme, is_ink=False)
    if style.reverse:
        ink, paper = paper, ink
    if style.dim:
        ink = ColorTriplet(*((2 * a + b) // 3 for a, b in zip(ink, paper, strict=True)))
    return Look(ink.hex, paper.hex, _marks_of(style))


def _marks_of(style: Style) -> str:
    """b, i, u and s for bold, italic, underlined and struck through."""
    marks = (("b", style.bold), ("i", style.italic), ("u", style.underline), ("s", style.strike))
    return "".join(mark for mark, is_set in marks if is_set)


def _triplet(color: Color | None, theme: TerminalTheme, *, is_ink: bool) -> ColorTriplet:
    if color is None or color.type is ColorType.DEFAULT:
        return theme.foreground_color if is_ink else theme.background_color
    return color.get_truecolor(theme, foreground=is_ink)


@dataclass
class _Drawing:
    """Rows as they are drawn, each look and each row once."""

    paper: str
    looks: dict[tuple[str, str], str] = field(default_factory=dict)
    rows: dict[tuple[Run, ...], str] = field(default_factory=dict)

    def row(self, runs: tuple[Run, ...]) -> str:
        """The row's name; empty where there is nothing to be seen in it."""
        if runs not in self.rows:
            self.rows[runs] = f"r{len(self.rows)}" if self.draw(runs) else ""
        return self.rows[runs]

    def draw(self, runs: tuple[Run, ...]) -> str:
        papers = [
            f'<rect x="{_number(run.at * CELL)}" width="{_number(run.cells * CELL)}" height="{_number(ROW)}" fill="{run.look.paper}"/>'
            for run in runs
            if run.look.paper != self.paper
        ]
        return "".join([*papers, *(self._text(run) for run in runs)])

    def _text(self, run: Run) -> str:
        name = self.looks.setdefault((run.look.ink, run.look.marks), f"k{len(self.looks)}")
        drawn, at = [], run.at
        # Two blanks would be drawn as one.
        for piece in _GAPS.split(run.text):
            if size := cell_len(piece):
                if piece.strip():
                    # Whichever font the reader has, it is as wide as a terminal's is here.
                    place = f'x="{_number(at * CELL)}" y="{_number(ROW * 0.76)}" textLength="{_number(size * CELL)}"'
                    drawn.append(f'<text class="{name}" {place}>{escape(piece)}</text>')
                at += size
        return "".join(drawn)

    def style(self) -> str:
        rules = [
            f"text{{font:{SIZE}px 'DejaVu Sans Mono','SF Mono',Menlo,Consolas,'Noto Sans Mono CJK SC',monospace;white-space:pre}}"
        ]
        words = {
            "b": "font-weight:bold",
            "i": "font-style:italic",
            "u": "text-decoration:underline",
            "s": "text-decoration:line-through",
        }
        for (ink, marks), name in self.looks.items():
            rules.append(f".{name}{{{';'.join([f'fill:{ink}', *(words[mark] for mark in marks)])}}}")
        return "".join(rules)


def draw_picture(picture: Picture, columns: int, title: str, paper: str = TERMINAL.background_color.hex) -> str:
    """One picture in a window of its own."""
    drawing = _Drawing(paper)
    rows = [
        f'<g transform="translate(0 {_number(y * ROW)})">{drawn}</g>'
        for y, runs in enumerate(picture)
        if (drawn := drawing.draw(runs))
    ]
    return _window("".join(rows), columns, len(picture), title, paper, drawing.style())


def draw_film(frames: Sequence[Frame], seconds: float, columns: int, title: str) -> str:
    """All frames, for ever from the first again after so many seconds.

    Each row is a strip of what it shows, one beside the other, that is moved from one to the next: what stays the same
    takes no room.
    """
    paper = TERMINAL.background_color.hex
    drawing = _Drawing(paper)
    rules: list[str] = []
    strips: list[str] = []
    width, height = columns * CELL, len(frames[0].picture)
    for y in range(height):
        seen = _changes(frames, y)
        uses = [
            f'<use href="#{name}" x="{_number(number * width)}"/>'
            for number, (_, runs) in enumerate(seen)
            if (name := drawing.row(runs))
        ]
        if not uses:
            continue
        moves = f' class="m{y}"' if len(seen) > 1 else ""
        strips.append(f'<g transform="translate(0 {_number(y * ROW)})"><g{moves}>{"".join(uses)}</g></g>')
        if moves:
            rules.append(_motion(y, [second for second, _ in seen], seconds, width))
    known = "".join(f'<g id="{name}">{drawing.draw(runs)}</g>' for runs, name in drawing.rows.items() if name)
    still = "@media (prefers-reduced-motion:reduce){g{animation-play-state:paused!important}}"
    body = f"<defs>{known}</defs>{''.join(strips)}"
    return _window(body, columns, height, title, paper, drawing.style() + "".join(rules) + still)


def _changes(frames: Sequence[Frame], y: int) -> list[tuple[float, tuple[Run, ...]]]:
    """What a row shows, each from its second on."""
    seen: list[tuple[float, tuple[Run, ...]]] = []
    for frame in frames:
        if not seen or seen[-1][1] != frame.picture[y]:
            seen.append((frame.second, frame.picture[y]))
    return seen


def _motion(y: int, starts: Sequence[float], seconds: float, width: float) -> str:
    steps = "".join(
        f"{_number(start / seconds * 100, 3)}%{{transform:translateX({_number(-number * width)}px)}}"
        for number, start in enumerate(starts)
    )
    last = f"to{{transform:translateX({_number(-(len(starts) - 1) * width)}px)}}"
    return f".m{y}{{animation:a{y} {_number(seconds)}s step-end infinite}}@keyframes a{y}{{{steps}{last}}}"


def _window(body: str, columns: int, rows: int, title: str, paper: str, style: str) -> str:
    width, height = columns * CELL, rows * ROW
    dots = "".join(
        f'<circle cx="{EDGE + 6 + 18 * number}" cy="17" r="5.5" fill="{color}"/>'
        for number, color in enumerate(("#f28b82", "#e6b455", "#7ecf8f"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_number(width + 2 * EDGE)} {_number(height + HEAD + EDGE)}" role="img">'
        f"<title>{escape(title)}</title><style>{style}</style>"
        f'<rect width="100%" height="100%" rx="9" fill="{paper}" stroke="#8b919c" stroke-opacity=".4"/>{dots}'
        f'<svg x="{_number(EDGE)}" y="{_number(HEAD)}" width="{_number(width)}" height="{_number(height)}">{body}</svg></svg>\n'
    )


def _number(value: float, digits: int = 1) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") or "0"
