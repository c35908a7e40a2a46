from __future__ import annotations

from kcode.tui.lines import Role
from kcode.tui.output import last_line, output_lines, settled_output


def test_of_a_progress_bar_only_the_last_state_is_left() -> None:
    assert settled_output("start\n 10%\r 50%\r100%\r\nend\r\n") == "start\n100%\nend\n"


def test_colours_are_dropped_and_all_else_that_steers_is_shown() -> None:
    assert settled_output("\x1b[1;32mok\x1b[0m\x1b[K \x1b]0;title\x07 \x1b[2J\x00") == "ok ␛]0;title␇ ␛[2J␀"


def test_the_last_line_is_the_last_that_says_something() -> None:
    assert last_line("one\ntwo 10%\rtwo 90%\n\n") == "two 90%"
    assert last_line("\n \n") == ""
    assert last_line("ok\ta.py\t3 s") == "ok  a.py    3 s"


def test_a_diff_has_its_colours_and_a_list_of_dashes_has_none() -> None:
    diff = output_lines("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new")
    assert [line[0].role for line in diff[2:]] == [Role.ACCENT, Role.REMOVED, Role.ADDED]
    assert [line[0].role for line in output_lines("- one\n- two")] == [Role.TEXT, Role.TEXT]
