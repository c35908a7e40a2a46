from __future__ import annotations

import re
import tomllib

from kcode.tui.texts import FOLDER


def blanks(text: object) -> list[str]:
    return sorted(set(re.findall(r"\{(\w+)", str(text))))


def test_both_languages_say_the_same_things_of_a_review() -> None:
    english, chinese = (tomllib.loads((FOLDER / name / "review.toml").read_text()) for name in ("en", "zh"))
    assert english.keys() == chinese.keys()
    assert [key for key, text in english.items() if blanks(text) != blanks(chinese[key])] == []
    assert [key for key, text in chinese.items() if not re.search("[\u4e00-\u9fff]", str(text))] == []
