from __future__ import annotations

import shutil
from pathlib import Path
from string import Template

import pytest

from kcode import share
from kcode.errors import UsageError
from kcode.prompts import render_prompt
from kcode.share import shared

ROOT = Path(__file__).parent.parent
SHIPPED = sorted(
    path.relative_to(ROOT / "prompts").with_suffix("").as_posix() for path in (ROOT / "prompts").rglob("*.md")
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return tmp_path


def write(folder: Path, text: str | bytes) -> Path:
    (folder / "note.md").write_bytes(text.encode() if isinstance(text, str) else text)
    return folder


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_prompt_says_what_fills_its_blanks(name: str) -> None:
    template = Template((ROOT / "prompts" / f"{name}.md").read_text(encoding="utf-8"))
    assert template.is_valid()
    blanks = template.get_identifiers()
    rendered = render_prompt(name, **{blank: f"<{blank}>" for blank in blanks})
    assert all(f"<{blank}>" in rendered for blank in blanks)
    assert rendered == rendered.strip() + "\n"
    if blanks:
        with pytest.raises(UsageError, match="has no value here"):
            render_prompt(name)


def test_a_blank_is_filled_as_data(own: Path) -> None:
    write(own, "Hello $name, you owe $$5, ${name}!\n\n")
    assert render_prompt("note", own, name="$other $$ ${x}") == "Hello $other $$ ${x}, you owe $5, $other $$ ${x}!\n"


def test_the_users_own_prompt_wins(own: Path) -> None:
    shutil.copy(ROOT / "prompts" / "ask.md", own / "elsewhere.md")
    (own / "ask.md").write_text("Mine.", encoding="utf-8")
    assert render_prompt("ask", own) == "Mine.\n"
    assert render_prompt("ask", own / "no-such-folder", **_blanks("ask")) == render_prompt("ask", **_blanks("ask"))


def _blanks(name: str) -> dict[str, str]:
    text = (ROOT / "prompts" / f"{name}.md").read_text(encoding="utf-8")
    return dict.fromkeys(Template(text).get_identifiers(), "x")


def test_a_blank_without_a_value_is_an_error_that_names_the_file(own: Path) -> None:
    write(own, "Hello $nmae")
    with pytest.raises(
        UsageError, match=r"note\.md: the blank \$nmae has no value here\. Known blanks: \$name, \$day\."
    ):
        render_prompt("note", own, name="x", day="y")
    with pytest.raises(UsageError, match=r"Known blanks: none\."):
        render_prompt("note", own)


def test_a_lone_dollar_is_an_error_that_says_how_to_write_it(own: Path) -> None:
    write(own, "one\ncosts $ 5")
    with pytest.raises(UsageError, match=r"note\.md: .*line 2.*\$\$"):
        render_prompt("note", own)


def test_a_prompt_that_is_not_there_is_an_error(own: Path) -> None:
    with pytest.raises(UsageError, match="There is no prompt named 'nothing'"):
        render_prompt("nothing", own)


def test_a_prompt_that_is_not_text_is_an_error(own: Path) -> None:
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        render_prompt("note", write(own, b"caf\xe9"))


def test_a_prompt_from_windows_reads_like_any_other(own: Path) -> None:
    write(own, b"\xef\xbb\xbfone $name\r\ntwo\r\n")
    assert render_prompt("note", own, name="x") == "one x\ntwo\n"


@pytest.mark.parametrize("folder", ["tools", "prompts"])
def test_the_folders_are_found_beside_a_checkout(folder: str) -> None:
    assert shared(folder) == Path(share.__file__).parent.parent / folder
    assert any(shared(folder).iterdir())
