"""What the user saves while kcode works, asks or has written: it is merged and shown, and never lost."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tests.model_server import reply
from tests.program import MODULE, RIGHT, RUN_TESTS, make_program
from tests.screen import Screen, program_with

if TYPE_CHECKING:
    from pathlib import Path

    from tests.model_server import ModelServerFactory

FIXED = [reply(reasoning="It truncates.", calls=[RIGHT, RUN_TESTS]), reply("Rounded, in `calc/money.py:5`.")]
MINE = MODULE.replace('"""\n\n\n', '"""\n# mine\n\n')
BOTH = MINE.replace("int(amount * 100) / 100", "round(amount, 2)")
CLASH = MODULE.replace("int(amount * 100) / 100", "floor(amount)")


def test_what_is_saved_at_the_question_is_merged_and_shown_before_it_is_asked_again(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    file = program.repository / "calc/money.py"
    screen = Screen(program, "fix", "cents() rounds down")
    screen.wait_for("Apply? [y]es")
    file.write_text(MINE)
    screen.type("y\n")
    screen.wait_for("Apply? [y]es")
    assert "Your files changed since this was shown." in screen.text
    assert " # mine" in screen.text
    assert file.read_text() == MINE
    screen.type("y\n")
    screen.wait_for("Applied: 1 file, +1 -1")
    assert screen.end() == 0
    assert file.read_text() == BOTH
    file.write_text(BOTH.replace("# mine", "# mine again"))
    screen = Screen(program, "undo")
    screen.wait_for("Undo like that? [y/n]")
    assert "calc/money.py changed since. Your changes stay" in screen.text
    screen.type("y\n")
    screen.wait_for("Undone: calc/money.py")
    assert screen.end() == 0
    assert file.read_text() == MINE.replace("# mine", "# mine again")


def test_what_conflicts_with_what_was_saved_at_the_question_is_shown_and_not_written(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    file = program.repository / "calc/money.py"
    screen = Screen(program, "fix", "cents() rounds down")
    screen.wait_for("Apply? [y]es")
    file.write_text(CLASH)
    screen.type("y\n")
    screen.wait_for("Nothing was written: all of it conflicts with what you changed meanwhile.")
    assert "-    return floor(amount)" in screen.text
    assert "Apply? [y/n]" not in screen.text
    assert screen.end() == 0
    assert file.read_text() == CLASH
    shown = program.run("diff")
    assert (shown.stdout, b"conflicts with what you changed in calc/money.py" in shown.stderr) == (b"", True)


def test_elsewhere_a_merge_that_changes_no_hunk_is_applied(tmp_path: Path, model_server: ModelServerFactory) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    file = program.repository / "calc/money.py"
    program.run("fix", "cents() rounds down")
    file.write_text(MINE)
    assert b" # mine" in program.run("diff").stdout
    done = program.run("apply")
    assert (done.returncode, file.read_text()) == (0, BOTH), done.stderr
    assert program.run("diff").returncode == 3


def test_elsewhere_a_merge_that_makes_other_lines_is_refused_until_it_was_looked_at(
    tmp_path: Path, model_server: ModelServerFactory
) -> None:
    program = program_with(FIXED, tmp_path, model_server)
    file = program.repository / "calc/money.py"
    program.run("fix", "cents() rounds down")
    windows = MODULE.replace("\n", "\r\n").encode()
    file.write_bytes(windows)
    refused = program.run("apply")
    assert (refused.returncode, file.read_bytes()) == (5, windows)
    assert b"it has lines that nobody has seen" in refused.stderr
    screen = Screen(program, "apply")
    screen.wait_for("1 file, +1 -1; you changed calc/money.py since it was proposed.\r\n")
    screen.wait_for("Apply? [y/n]")
    screen.type("n\n")
    assert screen.end() == 1
    assert program.run("apply", input=program.run("diff").stdout).returncode == 0
    assert file.read_bytes() == windows.replace(b"int(amount * 100) / 100", b"round(amount, 2)")


def test_operations_are_listed_and_undone_by_number_file_and_hunk(tmp_path: Path) -> None:
    lines = [f"line {number}\n" for number in range(1, 21)]
    program = make_program(tmp_path, {"f": "".join(lines), "g": "old\n"})
    file, other = program.repository / "f", program.repository / "g"
    lines[4], lines[14] = "five\n", "fifteen\n"
    file.write_text("".join(lines))
    other.write_text("new\n")
    patch = program.git("diff").encode()
    program.git("checkout", "-q", "--", ".")
    assert program.run("apply", input=patch).returncode == 0
    file.write_text(file.read_text().replace("line 20", "mine"))

    listed = program.run("journal", "1").stdout.decode().splitlines()
    assert [line.split()[1:4] for line in listed] == [["f:5", "+1", "-1"], ["f:15", "+1", "-1"], ["g:1", "+1", "-1"]]
    assert len({line.index("+1") for line in listed}) == 1
    refused = program.run("undo", listed[0].split()[0])
    assert (refused.returncode, b"Nothing was written. Is it right?" in refused.stderr) == (5, True), refused.stderr
    assert b"+line 5" in refused.stderr
    assert program.run("undo", "--merge", "1", listed[0].split()[0]).returncode == 0
    assert file.read_text() == "".join(lines).replace("five", "line 5").replace("line 20", "mine")
    (program.repository / "sub").mkdir()
    assert program.run("undo", "../g", "-C", "sub").returncode == 0
    assert other.read_text() == "old\n"
    rows = [line.split() for line in program.run("undo", "--list").stdout.decode().splitlines()]
    assert [row[0] for row in rows] == ["3", "2", "1"]
    assert rows[0][3:6] == ["undo", "of", "1"]
    assert rows[2][3:6] == ["apply", "partly", "undone"]
    assert program.run("redo").returncode == 0
    assert other.read_text() == "new\n"


def test_a_read_only_file_is_asked_for_and_stays_read_only(tmp_path: Path) -> None:
    program = make_program(tmp_path, {"f": "old\n"}, {"TERM": "xterm-256color"})
    file = program.repository / "f"
    file.write_text("new\n")
    patch = program.git("diff").encode()
    (tmp_path / "patch").write_bytes(patch)
    file.write_text("old\n")
    file.chmod(0o444)
    refused = program.run("apply", input=patch)
    assert (refused.returncode, b"f is read-only" in refused.stderr) == (5, True), refused.stderr
    screen = Screen(program, script=f"KCODE apply < {shlex.quote(str(tmp_path / 'patch'))}")
    screen.wait_for("Write it all the same? It stays read-only. [y/n]")
    screen.type("y\n")
    screen.wait_for("Applied: 1 file, +1 -1")
    assert screen.end() == 0
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new\n", 0o444)
