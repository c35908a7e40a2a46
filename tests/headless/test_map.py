"""`kcode map` on the command line."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from tests.program import make_program

if TYPE_CHECKING:
    from pathlib import Path


def test_the_map_as_json_and_for_people(tmp_path: Path) -> None:
    program = make_program(tmp_path)
    before = program.snapshot()
    done = program.run("map", "--wait", "--for", "cents are rounded wrongly", "--tokens", "200", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    answer = json.loads(done.stdout)
    assert 0 < answer["tokens"] <= 200
    first = answer["files"][0]
    assert first["path"] == "calc/money.py"
    assert {"name": "cents", "kind": "function", "line": 4, "end_line": 5} in first["symbols"]
    assert {"name": "", "kind": "statements", "line": 1, "end_line": 3} in first["symbols"]
    shown = program.run("map", "--for", "cents are rounded wrongly", "--tokens", "200").stdout.decode()
    assert "calc/money.py:\n1-3: " in shown
    # Each row of the one is a row of the other, with the same lines.
    rows = [line.strip().partition(":")[0] for line in shown.splitlines() if re.match(r" *\d+[-:]", line)]
    told = [(row["line"], row["end_line"]) for file in answer["files"] for row in file["symbols"]]
    assert rows == [str(start) if start == end else f"{start}-{end}" for start, end in told]
    assert program.snapshot() == before


def test_a_repository_that_git_refuses_is_mapped_all_the_same(tmp_path: Path) -> None:
    program = make_program(tmp_path)
    (program.repository / ".git/config").write_text("[extensions]\n\tunknown = true\n")
    done = program.run("map", "--for", "cents")
    assert done.returncode == 0
    assert done.stdout.startswith(b"calc/money.py:\n")


def test_names_and_lines_cannot_steer_the_terminal(tmp_path: Path) -> None:
    program = make_program(tmp_path, {"a\x1b[31m.py": "def f(x='\x1b[2J'): pass\n"})
    done = program.run("map", "--for", "f", "--wait")
    assert done.returncode == 0
    assert b"\x1b" not in done.stdout
    assert "␛[31m.py:" in done.stdout.decode()


def test_a_wrong_budget_is_refused(tmp_path: Path) -> None:
    assert make_program(tmp_path).run("map", "--tokens", "0").returncode == 2
