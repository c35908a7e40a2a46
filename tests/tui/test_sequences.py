from __future__ import annotations

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.tui.clipboard import LARGEST, copy_sequence
from kcode.tui.notify import notice_sequence, title_sequence
from kcode.tui.sequences import through_multiplexer

PLAIN: dict[str, str] = {}
TMUX = {"TMUX": "/tmp/tmux-0/default,1,0"}
SCREEN = {"STY": "1.pts-0.host"}


def unwrapped(sequence: str) -> str:
    """What tmux or screen would hand on."""
    return "".join(
        piece.removeprefix("tmux;").replace("\x1b\x1b", "\x1b")
        for piece in re.findall("\x1bP((?:tmux;(?:\x1b\x1b|[^\x1b])*)|[^\x1b]*|\x1b[^\x1b]*)\x1b\\\\", sequence)
    )


@given(st.text(max_size=400))
def test_what_is_copied_is_what_arrives(text: str) -> None:
    for environment in (PLAIN, TMUX):
        sequence = copy_sequence(text, environment)
        assert sequence is not None
        encoded = re.match("\x1b]52;c;([A-Za-z0-9+/=]*)\x07", sequence)
        assert encoded is not None
        assert base64.b64decode(encoded[1]) == text.encode("utf-8", "replace")
        assert unwrapped(sequence[encoded.end() :]) == (encoded.group() if environment else "")


def test_screen_gets_pieces_that_it_can_take() -> None:
    sequence = copy_sequence("x" * 3000, SCREEN)
    assert sequence is not None
    pieces = sequence.partition("\x07")[2].split("\x1b\\")
    assert max(map(len, pieces)) <= 768
    assert len(pieces) > 5


def test_what_no_terminal_takes_is_not_sent() -> None:
    assert copy_sequence("x" * (LARGEST + 1), PLAIN) is None


@pytest.mark.parametrize(("how", "sent"), [("off", ""), ("bell", "\x07"), ("osc9", "\x1b]9;done\x07\x07")])
def test_the_user_is_called_as_they_like_it_and_not_while_they_look(how: str, sent: str) -> None:
    assert notice_sequence(how, "done", PLAIN, focused=False) == sent  # type: ignore[arg-type]
    assert notice_sequence(how, "done", PLAIN, focused=True) == ""  # type: ignore[arg-type]


@given(st.text())
def test_no_title_or_notice_steers_the_terminal(text: str) -> None:
    for sequence, start in (
        (title_sequence(text), "\x1b]0;"),
        (notice_sequence("osc9", text, PLAIN, focused=False), "\x1b]9;"),
    ):
        inner = sequence.removeprefix(start).rstrip("\x07")
        assert not re.search(r"[\x00-\x1f\x7f-\x9f]", inner)
        assert len(inner) <= 120


def test_tmux_hands_a_notice_on() -> None:
    assert through_multiplexer("\x1b]9;a\x07", TMUX) == "\x1bPtmux;\x1b\x1b]9;a\x07\x1b\\"
