from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from kcode.errors import UsageError
from kcode.settings import Settings, load_settings
from kcode.settingsfiles import read_credentials

if TYPE_CHECKING:
    from pathlib import Path


def load(tmp_path: Path, *, flags: dict[str, object] | None = None, config: str = "", **environment: str) -> Settings:
    folder = tmp_path / "kcode"
    folder.mkdir(exist_ok=True)
    if config:
        (folder / "config.toml").write_text(config)
    return load_settings(flags or {}, {"XDG_CONFIG_HOME": str(tmp_path), **environment})


def test_nothing_set_gives_the_defaults(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert found == Settings(credentials=tmp_path / "kcode" / "credentials")
    assert (found.max_steps, found.max_cost, found.timeout, found.idle_timeout, found.color) == (
        300,
        None,
        None,
        120,
        "auto",
    )


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    config = 'max_steps = 1\nmax_cost = 1\ntimeout = 1.5\ncolor = "always"'
    found = load(
        tmp_path,
        flags={"max_steps": 3, "max_cost": None},
        config=config,
        KCODE_MAX_STEPS="2",
        KCODE_MAX_COST="2.5",
        KCODE_IDLE_TIMEOUT="9",
    )
    assert (found.max_steps, found.max_cost, found.timeout, found.color, found.idle_timeout) == (
        3,
        2.5,
        1.5,
        "always",
        9,
    )


def test_endpoint_url_and_model_are_one_choice(tmp_path: Path) -> None:
    config = 'endpoint = "openrouter"\nmodel = "moonshotai/kimi-k2-thinking"\nmax_steps = 7'
    found = load(tmp_path, flags={"base_url": "http://localhost/v1"}, config=config)
    assert (found.endpoint, found.base_url, found.model, found.max_steps) == (None, "http://localhost/v1", None, 7)
    found = load(tmp_path, flags={"endpoint": "moonshot"}, KCODE_BASE_URL="http://localhost/v1", KCODE_MODEL="m")
    assert (found.endpoint, found.base_url, found.model) == ("moonshot", None, None)
    found = load(tmp_path, flags={"model": "other"}, KCODE_ENDPOINT="openrouter", KCODE_MODEL="m")
    assert (found.endpoint, found.model) == ("openrouter", "other")
    assert load(tmp_path, KCODE_MODEL="m", config=config).endpoint == "openrouter"
    assert load(tmp_path, KCODE_MODEL="m", config=config).model == "m"


def test_a_key_is_not_taken_along_to_an_endpoint_that_a_flag_names(tmp_path: Path) -> None:
    corp = "https://corp.example/v1"
    assert load(tmp_path, KCODE_API_KEY="secret-1", KCODE_BASE_URL=corp).key == "secret-1"
    assert load(tmp_path, flags={"endpoint": "moonshot"}, KCODE_API_KEY="secret-1", KCODE_BASE_URL=corp).key is None
    assert load(tmp_path, flags={"endpoint": "moonshot"}, KCODE_API_KEY="secret-1").key == "secret-1"
    assert load(tmp_path, flags={"model": "m"}, KCODE_API_KEY="secret-1", KCODE_BASE_URL=corp).key == "secret-1"


def test_the_key_is_not_shown_with_the_settings(tmp_path: Path) -> None:
    assert "secret-1" not in repr(load(tmp_path, KCODE_API_KEY="secret-1"))


@pytest.mark.parametrize(("value", "expected"), [("1", "never"), ("", "auto")])
def test_no_color_is_honoured_when_it_says_something(tmp_path: Path, value: str, expected: str) -> None:
    assert load(tmp_path, NO_COLOR=value).color == expected
    assert load(tmp_path, NO_COLOR=value, flags={"color": "always"}).color == "always"
    assert load(tmp_path, NO_COLOR=value, KCODE_COLOR="always").color == "always"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("max_step = 3", "max_step"),
        ('api_key = "x"', "credentials"),
        ("max_steps = 0", "max_steps"),
        ("max_steps = true", "max_steps"),
        ("max_steps = 1.5", "max_steps"),
        ('max_cost = "much"', "max_cost"),
        ("max_cost = -1", "max_cost"),
        ("timeout = nan", "timeout"),
        ("timeout = inf", "timeout"),
        ("model = 3", "model"),
        ('model = " "', "model"),
        ('color = "blue"', "auto, always, never"),
        ("= 3", "not valid TOML"),
        ("[endpoint]\nname = 'x'", "endpoint"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_the_file(tmp_path: Path, config: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        load(tmp_path, config=config)
    assert "config.toml" in str(caught.value)


@pytest.mark.parametrize("value", ["0", "-1", "x", "1e99x", "²"])
def test_a_mistake_in_the_environment_is_named_with_the_variable(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match="KCODE_MAX_STEPS"):
        load(tmp_path, KCODE_MAX_STEPS=value)


def test_a_mistake_in_a_flag_is_named_with_the_flag(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--max-cost"):
        load(tmp_path, flags={"max_cost": "x"})


def test_the_file_may_be_a_link_but_no_pipe_and_no_folder(tmp_path: Path) -> None:
    (tmp_path / "real.toml").write_text("max_steps = 5")
    link = tmp_path / "kcode" / "config.toml"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "real.toml")
    assert load(tmp_path).max_steps == 5
    link.unlink()
    os.mkfifo(link)
    with pytest.raises(UsageError, match="not a plain file"):
        load(tmp_path)
    link.unlink()
    link.mkdir()
    with pytest.raises(UsageError, match="not a plain file"):
        load(tmp_path)
    link.rmdir()
    link.write_bytes(b"\xff")
    with pytest.raises(UsageError, match="UTF-8"):
        load(tmp_path)


def test_credentials_are_read_from_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    assert read_credentials(path) == {}
    path.write_text('moonshot = "sk-1"\n"corp.example" = " sk-2 "\nempty = ""')
    path.chmod(0o600)
    assert read_credentials(path) == {"moonshot": "sk-1", "corp.example": "sk-2"}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_credentials_that_others_can_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "credentials"
    path.write_text('moonshot = "sk-1"')
    path.chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        read_credentials(path)


def test_credentials_behind_a_link_are_refused(tmp_path: Path) -> None:
    path, link = tmp_path / "real", tmp_path / "credentials"
    path.write_text('moonshot = "sk-1"')
    path.chmod(0o600)
    link.symlink_to(path)
    with pytest.raises(UsageError, match="is a link"):
        read_credentials(link)


def test_credentials_that_are_no_keys_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "credentials"
    path.write_text("moonshot = 3")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="moonshot is something else"):
        read_credentials(path)
