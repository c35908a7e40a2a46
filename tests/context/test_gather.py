from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kcode.context.gather import gather_context
from kcode.context.instructions import Instructions, find_instructions, render_instructions
from kcode.context.tokens import estimate_tokens, output_reserve
from kcode.context.tree import ALL_AT_MOST, render_tree
from kcode.prompts import render_prompt
from kcode.snapshot import Snapshot
from kcode.workspace import Workspace

PATHS = st.sets(st.from_regex(r"[a-d]{1,3}(/[a-d]{1,2}){0,3}\.py", fullmatch=True), max_size=60)


@given(PATHS)
def test_the_tree_is_a_pure_function_of_the_set_of_paths(paths: set[str]) -> None:
    assert render_tree(sorted(paths)) == render_tree(sorted(paths, reverse=True))


@given(PATHS)
def test_a_small_tree_names_every_file(paths: set[str]) -> None:
    shown = render_tree(sorted(paths)).replace(": ", " ").split()
    assert all(path.rpartition("/")[2] in shown for path in paths)


def test_a_large_tree_is_cut_to_two_levels_with_counts() -> None:
    files = [f"src/part{number}/inner/file{n}.py" for number in range(40) for n in range(30)] + ["README.md"]
    shown = render_tree(files)
    assert len(shown) < ALL_AT_MOST
    assert "./: README.md" in shown
    assert "src/ (1200 files): part0/ (30)" in shown
    assert "(1201 files in all" in shown


def test_no_files_are_said_to_be_none() -> None:
    assert render_tree([]) == "(no files)"


def test_instructions_come_from_the_user_then_from_root_downwards(tmp_path: Path) -> None:
    root, config = tmp_path / "work", tmp_path / "config"
    (root / "a/b").mkdir(parents=True)
    config.mkdir()
    (config / "AGENTS.md").write_text("mine")
    (root / "AGENTS.md").write_text("top")
    (root / "CLAUDE.md").write_text("a copy of the same")
    (root / "a/CLAUDE.md").write_text("inner")
    found, warnings = find_instructions(root, "a/b", config)
    assert [item.text for item in found] == ["mine", "top", "inner"]
    assert [item.origin for item in found] == ["the user's own instructions", "AGENTS.md", "a/CLAUDE.md"]
    assert warnings == []
    assert "## From a/CLAUDE.md\n\ninner" in render_instructions(found)


def test_instructions_that_lead_out_or_hide_something_are_left_out_with_a_warning(tmp_path: Path) -> None:
    root = tmp_path / "work"
    (root / "inner").mkdir(parents=True)
    (tmp_path / "secret").write_text("secret")
    (root / "AGENTS.md").symlink_to(tmp_path / "secret")
    (root / "inner/AGENTS.md").write_text("do this\U000e0041\U000e0042")
    found, warnings = find_instructions(root, "inner", tmp_path / "none")
    assert found == []
    assert "leads out of the workspace" in warnings[0]
    assert "hide text from you" in warnings[1]


def test_long_instructions_are_kept_whole_and_warned_about(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("rule\n" * 10_000)
    found, warnings = find_instructions(tmp_path, "", tmp_path / "none")
    assert len(found[0].text) > 49_000
    assert "50,000 bytes" in warnings[0]


def context_of(snapshot: Snapshot) -> str:
    workspace = Workspace(Path("/work/of mine"), None, "sub")
    day = date(2026, 11, 23)
    return gather_context(workspace, snapshot, [Instructions("AGENTS.md", "Be brief.")], "make test", day).text


def test_the_system_message_holds_its_parts_in_order() -> None:
    text = context_of(Snapshot("main", (" M a.py",), ("abc1234 Start",), ("a.py", "b/c.py")))
    parts = ["You are Kimi", "# The draft", "# Instructions", "Be brief.", "/work/of mine (the user stands in sub/)"]
    parts += ["2026-11-23", "Git: main", "Tests: make test", "b/: c.py", " M a.py", "abc1234 Start"]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_names_that_are_no_text_and_long_status_do_no_harm() -> None:
    status = tuple(f"?? file{number}" for number in range(500))
    text = context_of(Snapshot("", status, (), ("bad\udcff.py", "a$b.py")))
    text.encode("utf-8")
    assert "and 480 more" in text
    assert "a$b.py" in text
    assert "none, a plain folder" in text


def test_the_prompts_stay_small() -> None:
    assert estimate_tokens(render_prompt("system", root="/work")) <= 1_500


@pytest.mark.parametrize(
    ("text", "true_tokens"),
    [
        ("def f(x):\n    return x + 1\n" * 200, 2_200),
        ("你好世界" * 500, 1_000),
        ("0a1b2c3d4e5f" * 300, 3_600),
        ("这个函数把金额四舍五入到分但是对于负数的处理不正确需要修复。" * 50, 900),
    ],
)
def test_estimates_err_to_the_high_side_but_not_by_much(text: str, true_tokens: int) -> None:
    # The true counts are of the model's own vocabulary.
    assert 0.9 * true_tokens <= estimate_tokens(text) <= 1.5 * true_tokens


def test_a_small_window_keeps_a_quarter_for_the_reply() -> None:
    assert output_reserve(262_144) == 16_384
    assert output_reserve(32_000) == 8_000
