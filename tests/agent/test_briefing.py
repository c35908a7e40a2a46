"""What the model is shown unasked, over real repositories."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from kcode.context.tokens import estimate_tokens
from kcode.messages import ToolCall
from tests.agent.briefings import Briefed, brief, open_draft_of
from tests.repositories import git, new_repository, write_tree
from tests.test_safegit import trapped_repository

if TYPE_CHECKING:
    from pathlib import Path

# More than is shown whole, and little enough for a skeleton; then more than that.
FUNCTION = "def part_{0}_{1}(value: int) -> int:\n    # {2}\n    return value + {1}\n\n\n"


def source(files: int, functions: int, filling: str) -> dict[str, str]:
    return {
        f"shop/part{n}.py": "".join(FUNCTION.format(n, one, filling) for one in range(functions)) for n in range(files)
    }


LARGE = source(40, 5, "Some words that say little of what is done here, and go on for long. " * 10)
HUGE = source(60, 40, "a word or two")
SMALL = {"calc/money.py": "def cents(x):\n    return int(x)\n", "tests/test_money.py": "x = 1\n", "README.md": "Hi.\n"}


def call(name: str, path: str) -> ToolCall:
    return ToolCall(f"functions.{name}:0", name, f'{{"path": "{path}"}}')


def follow(briefed: Briefed, made: ToolCall) -> str:
    return asyncio.run(briefed.briefing.follow_call(made))


def test_a_small_repository_is_shown_whole_and_needs_no_map(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", SMALL | {".env": "KEY=hush", "key.pem": "hush", "a.csv": "1,2"}))
    assert briefed.layer.is_whole
    for path, text in SMALL.items():
        assert f'<file path="{path}">\n{text}</file>' in briefed.layer.text
    assert "hush" not in briefed.layer.text
    assert "1,2" not in briefed.layer.text
    assert briefed.briefing.find_note("why does cents() in calc/money.py round down?") == ""


def test_of_a_larger_one_all_definitions_are_shown_and_a_map_of_the_request(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", LARGE))
    assert not briefed.layer.is_whole
    assert "shop/part7.py:\n1: def part_7_0(value: int) -> int:\n" in briefed.layer.text
    assert "Some words" not in briefed.layer.text
    assert estimate_tokens(briefed.layer.text) < 8_500
    note = briefed.briefing.find_note("part_12_3 is wrong")
    assert "# Files that may matter for it" in note
    assert note.index("shop/part12.py:\n") < 700
    briefed.briefing.close()


def test_of_a_huge_one_nothing_is_shown_but_the_map_of_the_request(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", HUGE))
    assert briefed.layer.text == ""
    note = briefed.briefing.find_note("part_12_3 is wrong")
    assert "shop/part12.py:\n" in note
    assert 500 < estimate_tokens(note) < 4_500
    briefed.briefing.close()


def test_in_a_small_window_all_of_it_is_smaller(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", LARGE), window=16_384)
    assert briefed.layer.text == ""
    assert estimate_tokens(briefed.briefing.find_note("part_12_3 is wrong, see shop/part3.py")) < 1_500
    briefed.briefing.close()


def test_the_files_that_a_request_names_are_shown_and_count_as_read(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", HUGE | {"notes/plan.txt": "first\nsecond\n"})
    briefed = brief(root)
    note = briefed.briefing.find_note("do what @notes/plan.txt says")
    assert "notes/plan.txt, all 2 lines:\n1→first\n2→second" in note
    open_draft_of(briefed)
    briefed.view.write("notes/plan.txt", b"first\n")  # which is refused for a file that was not read
    briefed.briefing.close()


def test_what_is_given_whole_is_not_outlined_beside_that(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", HUGE))
    note = briefed.briefing.find_note("part_12_3 is wrong, see @shop/part12.py")
    assert "shop/part12.py, all " in note
    assert "\nshop/part12.py:\n" not in note
    later = briefed.briefing.find_note("and part_13_3 and part_12_4 are wrong, see @shop/part12.py @shop/part13.py")
    assert not {"shop/part12.py", "shop/part13.py"} & {line.rstrip(":") for line in later.split("\n")}
    briefed.briefing.close()


def test_what_is_named_again_is_shown_as_the_draft_has_it(tmp_path: Path) -> None:
    briefed = brief(new_repository(tmp_path / "r", HUGE | {"plan.txt": "first\n"}))
    briefed.briefing.find_note("go")
    open_draft_of(briefed)
    briefed.view.write("other.txt", b"by the model\n")
    assert "1→by the model" in briefed.briefing.find_note("look at @other.txt")
    briefed.briefing.close()


def test_what_the_user_did_meanwhile_is_told_once(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", SMALL | {"AGENTS.md": "Be brief.\n"})
    briefed = brief(root)
    assert briefed.briefing.find_note("go") == ""
    assert briefed.briefing.find_note("go on") == ""
    write_tree(root, {"calc/money.py": "def cents(x):\n    return round(x)\n", "AGENTS.md": "Be long.\n", "new.py": ""})
    (root / "README.md").unlink()
    note = briefed.briefing.find_note("go on")
    assert "- README.md: deleted\n- calc/money.py: changed\n- new.py: new" in note
    assert "The instructions from AGENTS.md were changed. They read:\nBe long." in note
    assert briefed.briefing.find_note("go on") == ""
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "Round half up")
    git(root, "checkout", "-q", "-b", "other")
    note = briefed.briefing.find_note("go on")
    assert "The git branch is other; it was " in note
    assert "Round half up" in note
    assert estimate_tokens(note) < 2_100


def test_what_the_model_wrote_itself_is_no_news_when_it_is_applied(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", SMALL)
    briefed = brief(root)
    briefed.briefing.find_note("go")
    open_draft_of(briefed)
    briefed.view.write("calc/more.py", b"x = 1\n")
    write_tree(root, {"calc/more.py": "x = 1\n"})
    assert briefed.briefing.find_note("go on") == ""
    write_tree(root, {"calc/more.py": "x = 2\n"})
    assert "calc/more.py" not in briefed.briefing.find_note("go on")  # the draft still has the model's own


def test_very_many_changes_stay_within_their_room(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", SMALL)
    briefed = brief(root)
    briefed.briefing.find_note("go")
    write_tree(root, {f"{'long' * 20}{n}.py": "" for n in range(400)})
    note = briefed.briefing.find_note("go on")
    assert "more files" in note
    assert estimate_tokens(note) < 2_200


def test_instructions_of_a_folder_come_once_with_the_first_call_that_touches_it(tmp_path: Path) -> None:
    files = SMALL | {
        "AGENTS.md": "top",
        "calc/AGENTS.md": "inner",
        "calc/deep/CLAUDE.md": "deepest",
        "calc/deep/a.py": "",
    }
    briefed = brief(new_repository(tmp_path / "r", files))
    assert follow(briefed, call("read_file", "tests/test_money.py")) == ""
    told = follow(briefed, call("read_file", "calc/money.py"))
    assert told.endswith("## From calc/AGENTS.md\n\ninner")
    assert "top" not in told
    assert follow(briefed, call("read_file", "calc/money.py")) == ""
    assert "deepest" in follow(briefed, call("list_files", "calc/deep"))
    briefed.briefing.forget_given()
    told = follow(briefed, call("read_file", f"{tmp_path / 'r'}/calc/deep/a.py"))
    assert told.index("inner") < told.index("deepest")


@pytest.mark.parametrize(
    "arguments", ["", "[1]", '{"path": 3}', '{"path": "../../x"}', '{"path": "a\\u0000b"}', "{" * 9]
)
def test_calls_that_name_no_path_are_followed_by_nothing(tmp_path: Path, arguments: str) -> None:
    briefed = brief(new_repository(tmp_path / "r", SMALL))
    assert follow(briefed, ToolCall("x", "read_file", arguments)) == ""


def test_a_link_or_a_hard_name_does_not_bring_a_secret_or_what_lies_outside(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", HUGE | {".env": "KEY=hush\n"})
    (tmp_path / "outside.txt").write_text("hush")
    (root / "plan.txt").symlink_to(".env")
    (root / "away.txt").symlink_to(tmp_path / "outside.txt")
    briefed = brief(root)
    note = briefed.briefing.find_note("see @.env, @plan.txt, @away.txt and @.git/config and @../outside.txt")
    assert "hush" not in note
    assert "repositoryformatversion" not in note
    briefed.briefing.close()


@pytest.mark.parametrize(
    "words", ["@" + "long" * 200, "@a\0b", "@\ud800", "@" + "a/" * 400, "@calc/money.py/x", "@loop", "@.", '@""', "@/"]
)
def test_a_mention_of_what_can_be_no_file_does_no_harm(tmp_path: Path, words: str) -> None:
    root = new_repository(tmp_path / "r", SMALL)
    (root / "loop").symlink_to("loop")
    briefed = brief(root)
    briefed.briefing.find_note(words)
    open_draft_of(briefed)
    briefed.briefing.find_note(words)


def test_ignore_files_are_heard(tmp_path: Path) -> None:
    files = SMALL | {".kcodeignore": "big/\n", "big/a.py": "hidden = 1\n", ".ignore": "*.md\n", ".gitignore": "out/\n"}
    briefed = brief(new_repository(tmp_path / "r", files | {"out/x.py": "built = 1\n"}))
    assert "cents" in briefed.layer.text
    for text in ("hidden", "Hi.", "built"):
        assert text not in briefed.layer.text


def test_nothing_that_a_repository_names_is_run_while_it_is_looked_at(tmp_path: Path) -> None:
    root, marks = trapped_repository(tmp_path)
    write_tree(root, HUGE)
    briefed = brief(root)
    assert "shop/part12.py:\n" in briefed.briefing.find_note("part_12_3 is wrong, see @h.txt and sub/in.txt")
    open_draft_of(briefed)
    (root / "f.txt").write_text("saved\n")
    assert "- f.txt: changed" in briefed.briefing.find_note("go on")
    assert briefed.view.read("p.txt") == b"cba\n"
    briefed.briefing.close()
    assert list(marks.iterdir()) == []


# What is not indexed within the time that a first answer may wait is not in it: so the index is there before.
INDEX = """
import sys, time
from pathlib import Path
from tests.agent.briefings import brief
briefing = brief(Path(sys.argv[1])).briefing
while briefing.overview.index().is_busy:
    time.sleep(0.02)
briefing.close()
"""
SCRIPT = """
import sys
from pathlib import Path
from tests.agent.briefings import brief
briefed = brief(Path(sys.argv[1]))
sys.stdout.write(briefed.layer.text + briefed.briefing.find_note("part_12_3 is wrong, see shop/part3.py and @shop/"))
briefed.briefing.close()
"""


def test_the_same_repository_and_request_give_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    root = new_repository(tmp_path / "r", LARGE)
    subprocess.run([sys.executable, "-c", INDEX, str(root)], check=True)
    found = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(root)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
    assert b"part_39_4" in found.pop()
