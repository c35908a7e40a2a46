from __future__ import annotations

import pytest

from kcode.errors import UsageError
from kcode.tui.keys import (
    KEYS,
    Clash,
    bindings_for,
    clash_warnings,
    find_clashes,
    help_rows,
    read_keymap,
    shown_keys,
    teach_keys,
)
from kcode.tui.texts import LANGUAGES, load_texts


def test_every_key_is_told_in_every_language_and_has_a_name_of_its_own() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    for language in LANGUAGES:
        texts = load_texts(language)
        rows = help_rows(texts, {"composer-editor": "f9"})
        assert len(rows) == len(KEYS)
        assert ("F9", texts("keys.composer-editor"), texts("keys.in-composer")) in rows


def test_no_two_keys_clash_by_default() -> None:
    assert find_clashes({}) == []


def test_the_users_keys_are_taken_in_both_ways_to_write_them() -> None:
    assert read_keymap({"composer-editor": "ctrl+x, f9", "composer-search": ["alt+r", "alt+?"]}, "x") == {
        "composer-editor": "ctrl+x,f9",
        "composer-search": "alt+r,alt+question_mark",
    }


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"composer-editr": "f9"}, "Did you mean composer-editor"),
        ({"composer-editor": "ctrl+gg"}, "is no key"),
        ({"composer-editor": "ctrl+entr"}, r"Did you mean ctrl\+enter"),
        ({"composer-editor": "g"}, "types text"),
        ({"composer-editor": "?"}, "types text"),
        ({"composer-editor": ""}, "must be a key"),
        ({"composer-editor": []}, "must be a key"),
        ({"composer-editor": 3}, "must be a key"),
    ],
)
def test_what_cannot_be_a_key_is_refused_in_words(table: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        read_keymap(table, "config.toml: [interface.keys]")
    assert "config.toml" in str(refused.value)


def test_a_key_for_two_things_is_found() -> None:
    assert find_clashes({"composer-editor": "ctrl+r"}) == [Clash("ctrl+r", ("composer-search", "composer-editor"))]
    (warning,) = clash_warnings({"composer-editor": "ctrl+r"}, load_texts(), "config.toml")
    assert warning.startswith("ctrl+r is bound to 2 things: composer-search, composer-editor.")
    # Moving both away is no clash.
    assert find_clashes({"composer-editor": "ctrl+r", "composer-search": "alt+r"}) == []


def test_bindings_carry_the_ids_by_which_they_are_rebound() -> None:
    ids = {getattr(binding, "id", None) for binding in bindings_for("composer")}
    assert ids == {key.id for key in KEYS if key.scope == "composer"}


def test_keys_are_shown_as_the_user_presses_them() -> None:
    assert shown_keys("composer-interrupt", {}) == "esc"
    assert shown_keys("composer-editor", {"composer-editor": "alt+question_mark"}) == "alt+?"
    assert shown_keys("composer-newline", {}, most=2) == "ctrl+j shift+enter"


def test_alt_enter_is_not_enter() -> None:
    from textual._xterm_parser import XTermParser  # noqa: PLC0415 - what reads the terminal

    teach_keys()
    parser = XTermParser()
    found = [*parser.feed("\x1b\r"), *parser.feed("\r")]
    assert [getattr(event, "key", "") for event in found] == ["ctrl+j", "enter"]
