from __future__ import annotations

import tomllib
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from kcode.errors import UsageError
from kcode.settings import load_settings
from kcode.tui.preferences import Preferences, choices_of, load_preferences, save_preference
from kcode.tui.texts import LANGUAGES, load_texts

if TYPE_CHECKING:
    from pathlib import Path

COMMENTED = """\
# mine
endpoint = "moonshot"  # the fast one

[interface]
vim = true  # always

[endpoints.own]
base_url = "https://host/v1"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "kcode" / "config.toml"


def write(config: Path, text: str) -> Path:
    config.parent.mkdir(exist_ok=True)
    config.write_text(text, encoding="utf-8")
    return config


def test_without_a_file_all_is_as_by_default(config: Path) -> None:
    assert load_preferences(config) == Preferences()


def test_what_the_file_says_holds_and_the_other_settings_are_read_as_before(config: Path) -> None:
    write(config, COMMENTED + '[interface.keys]\ncomposer-editor = "f9"\n')
    assert load_preferences(config) == Preferences(vim=True, keys={"composer-editor": "f9"})
    assert load_settings({}, {}, config=config).endpoint == "moonshot"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("vim = 1", "vim must be true or false"),
        ("mosue = true", "Did you mean mouse"),
        ('theme = "kcode-drak"', "Did you mean kcode-dark"),
        ('language = "fr"', "must be one of auto, en, zh"),
        ("notifications = false", "must be one of off, bell, osc9"),
        ("keys = 3", "must be a table"),
        ('keys = {composer-sned = "f9"}', "Did you mean composer-send"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_may_stand_there(config: Path, table: str, said: str) -> None:
    write(config, f"[interface]\n{table}\n")
    with pytest.raises(UsageError, match=said) as refused:
        load_preferences(config)
    assert str(config) in str(refused.value)
    # The rest of the program goes on.
    load_settings({}, {}, config=config)


def test_interface_that_is_no_table_is_refused(config: Path) -> None:
    with pytest.raises(UsageError, match="must be a table"):
        load_preferences(write(config, "interface = 3\n"))


def test_a_change_keeps_every_other_line(config: Path) -> None:
    write(config, COMMENTED)
    assert save_preference(config, "theme", "kcode-light") == Preferences(theme="kcode-light", vim=True)
    kept = config.read_text(encoding="utf-8")
    assert [line for line in kept.splitlines() if line not in COMMENTED.splitlines()] == ['theme = "kcode-light"']
    assert all(line in kept for line in COMMENTED.splitlines())
    save_preference(config, "vim", value=False)
    assert load_preferences(config) == Preferences(theme="kcode-light")
    assert "# always" in config.read_text(encoding="utf-8")


def test_the_first_change_makes_the_file_and_keys_can_be_set(config: Path) -> None:
    save_preference(config, "keys", {"composer-editor": "f9"})
    assert tomllib.loads(config.read_text()) == {"interface": {"keys": {"composer-editor": "f9"}}}
    save_preference(config, "mouse", value=False)
    assert load_preferences(config) == Preferences(mouse=False, keys={"composer-editor": "f9"})


def test_a_link_stays_a_link(config: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("# kept\n")
    config.parent.mkdir()
    config.symlink_to(real)
    save_preference(config, "vim", value=True)
    assert config.is_symlink()
    assert real.read_text().startswith("# kept\n")
    assert load_preferences(config).vim


@pytest.mark.parametrize("text", ["[interface]\nvim = 3\n", "not toml", "interface = 3\n"])
def test_a_file_with_a_mistake_is_not_written(config: Path, text: str) -> None:
    write(config, text)
    with pytest.raises(UsageError):
        save_preference(config, "vim", value=True)
    assert config.read_text() == text


def test_a_value_that_cannot_be_is_not_written(config: Path) -> None:
    with pytest.raises(UsageError, match="must be one of"):
        save_preference(config, "reasoning", "loud")
    assert not config.exists()


def test_every_preference_and_choice_has_its_words_in_every_language() -> None:
    for language in LANGUAGES:
        texts = load_texts(language)
        assert all(texts(f"settings.{one.name}") for one in fields(Preferences))
        for name in ("notifications", "reasoning", "side_by_side"):
            assert all(texts(f"settings.{choice}") for choice in choices_of(name) or ())


def test_every_choice_can_be_made(config: Path) -> None:
    for name in ("theme", "language", "notifications", "reasoning", "side_by_side"):
        for choice in choices_of(name) or ():
            assert getattr(save_preference(config, name, choice), name) == choice
