from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kcode.tui.vim import Mode, Pressed, Vim, press, selection

NORMAL = Vim(mode=Mode.NORMAL)


def keys_of(typed: str) -> list[str]:
    """`<esc>` and other names in brackets, all else character by character."""
    keys, rest = [], typed
    while rest:
        if rest[0] == "<" and ">" in rest:
            name, _, rest = rest[1:].partition(">")
            keys.append({"esc": "escape", "c-r": "ctrl+r"}.get(name, name))
        else:
            keys.append(rest[0])
            rest = rest[1:]
    return keys


def type_keys(typed: str, text: str, caret: int, vim: Vim = NORMAL) -> Pressed:
    """As the composer does it: what is typed while inserting goes into the text."""
    done = Pressed(vim, text, caret)
    for key in keys_of(typed):
        if done.vim.mode is Mode.INSERT and key != "escape":
            done = Pressed(done.vim, done.text[: done.caret] + key + done.text[done.caret :], done.caret + 1)
        else:
            done = press(done.vim, done.text, done.caret, key)
    return done


@pytest.mark.parametrize(
    ("before", "typed", "after"),
    [
        # The bar stands before the caret.
        ("one |two three", "dw", "one |three"),
        ("one |two", "dw", "one| "),
        ("|one two three", "2dw", "|three"),
        ("|one two three", "d2w", "|three"),
        ("one |two three", "cwTWO<esc>", "one TW|O three"),
        ("|a b", "cwx<esc>", "|x b"),
        ("say |it now", "ciwthat<esc>", "say tha|t now"),
        ("say it| now", "daw", "say i|t"),
        ("a\n|b\nc", "dd", "a\n|c"),
        ("a\nb\n|c", "dd", "a\n|b"),
        ("|a\nb\nc", "2dd", "|c"),
        ("|a\nb", "ddp", "b\n|a"),
        ("a\n|b", "yyP", "a\n|b\nb"),
        ("ab|cd", "D", "a|b"),
        ("ab|cd", "Cx<esc>", "ab|x"),
        ("a|bcd", "x", "a|cd"),
        ("a|bcd", "2x", "a|d"),
        ("|abc", "xp", "b|ac"),
        ("|one two", "wix<esc>", "one |xtwo"),
        ("|  one", "^", "  |one"),
        ("one| two", "0", "|one two"),
        ("|one two", "$", "one tw|o"),
        ("|one two", "e", "on|e two"),
        ("|one two", "ee", "one tw|o"),
        ("one tw|o", "b", "one |two"),
        ("one tw|o", "bb", "|one two"),
        ("|a\nb\nc", "G", "a\nb\n|c"),
        ("a\nb\n|c", "gg", "|a\nb\nc"),
        ("a\nb\n|c", "2G", "a\n|b\nc"),
        ("|a(b,c)", "fb", "a(|b,c)"),
        ("|a,b,c", "f,;", "a,b|,c"),
        ("|a,b,c", "f,;,", "a|,b,c"),
        ("|a,b", "dt,", "|,b"),
        ("a(b|c)d", "ci(x<esc>", "a(|x)d"),
        ('a "b|c" d', 'di"', 'a "|" d'),
        ("a|b", "Ix<esc>", "|xab"),
        ("|ab", "Ax<esc>", "ab|x"),
        ("|a\nb", "ox<esc>", "a\n|x\nb"),
        ("a\n|b", "Ox<esc>", "a\n|x\nb"),
        ("|one two three", "dw.", "|three"),
        ("|a a a", "cwb<esc>w.", "b |b a"),
        ("|abc", "vld", "|c"),
        ("|a\nb\nc", "Vjd", "|c"),
        ("ab|c", "vhy$p", "abcb|c"),
        ("|abc", "rx", "|xbc"),
        ("|abc", "~~", "AB|c"),
        ("|a\n  b", "J", "a| b"),
        ("|one.two", "dW", "|"),
        ("|漢字 b", "dw", "|b"),
    ],
)
def test_keys_do_what_vi_does(before: str, typed: str, after: str) -> None:
    caret = before.index("|")
    done = type_keys(typed, before.replace("|", "", 1), caret)
    assert done.text[: done.caret] + "|" + done.text[done.caret :] == after


def test_undo_redo_and_the_history_are_asked_of_the_composer() -> None:
    assert type_keys("u", "a", 0).effect == "undo"
    assert type_keys("<c-r>", "a", 0).effect == "redo"
    assert type_keys("k", "a\nb", 0).effect == "older"
    assert type_keys("j", "a\nb", 2).effect == "newer"


def test_escape_takes_back_what_is_half_typed() -> None:
    done = type_keys("2d<esc>x", "abc", 0)
    assert done.text == "bc"


def test_what_is_selected_is_told() -> None:
    done = type_keys("vl", "abc", 0)
    assert selection(done.vim, done.text, done.caret) == (0, 2)
    assert selection(NORMAL, "abc", 1) is None


texts = st.text(st.sampled_from('ab _.("\n漢'), max_size=20)
keys = st.sampled_from([*'hjkl0^$wWbBeEgGfFtT;,xXdDcCsSyYpPruiaIAoO~J.vV123456789"()w ', "escape", "ctrl+r", "up", "home", "space"])  # fmt: skip


@settings(max_examples=300)
@given(texts, st.integers(0, 20), st.lists(keys, max_size=25))
def test_no_keys_crash_it_and_the_caret_stays_in_the_text(text: str, caret: int, typed: list[str]) -> None:
    done = Pressed(NORMAL, text, min(caret, len(text)))
    for key in typed:
        if done.vim.mode is Mode.INSERT and len(key) == 1:
            done = Pressed(done.vim, done.text[: done.caret] + key + done.text[done.caret :], done.caret + 1)
        else:
            done = press(done.vim, done.text, done.caret, key)
        assert 0 <= done.caret <= len(done.text)
        if key == "escape":
            # On a character, never on a line's break unless the line is empty.
            on_break = done.text[done.caret : done.caret + 1] in {"", "\n"}
            assert not on_break or done.text[: done.caret].endswith("\n") or not done.caret
        chosen = selection(done.vim, done.text, done.caret)
        assert chosen is None or 0 <= chosen[0] <= chosen[1] <= len(done.text)


@given(texts, st.integers(0, 20), st.lists(st.sampled_from(["h", "l", "w", "b", "e", "j", "k", "0", "$", "G", "^"]), max_size=10))  # fmt: skip
def test_motions_and_yanking_change_nothing(text: str, caret: int, typed: list[str]) -> None:
    assert type_keys("".join(typed), text, caret).text == text
    assert type_keys("".join(f"y{key}" for key in typed), text, caret).text == text
