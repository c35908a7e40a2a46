from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.headless.review import apply_words, split_hunk
from tests.headless.proposals import propose_changes

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_what_does_not_parse_any_more_is_told_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    proposed = propose_changes(tmp_path)
    proposed.edit("invoice.py", ("round(sum(self.lines), 2)", "sum(\n            self.lines\n        )"))
    split_hunk(proposed.place, proposed.ids()[0], "1,1")
    assert apply_words(proposed.place, [proposed.ids()[0]], pick=False) == 0
    assert "! invoice.py does not parse any more after this." in capfd.readouterr().err
    assert apply_words(proposed.place, [proposed.ids()[0]], pick=False) == 0
    assert "parse any more" not in capfd.readouterr().err
