"""The demo's parts fit together; that `kcode demo` itself runs is tested with the command line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kcode.providers.cassette import read_cassette
from kcode.tooling import load_tools

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "kcode" / "_demo"
REPLIES: list[dict[str, Any]] = [
    json.loads(line)
    for line in (DEMO / "replies.jsonl").read_text(encoding="utf-8").splitlines()
    if line.startswith("{") and "kcode-cassette" not in line
]
CALLS = [call for reply in REPLIES for call in reply.get("calls", [])]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO / "project", tmp_path / "project"))


def run_tests(project: Path) -> tuple[int, list[str], str]:
    """Exit code, the names of what failed, and the output."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "unittest", "-v"], cwd=project, capture_output=True, text=True, check=False
    )
    return done.returncode, re.findall(r"^(?:FAIL|ERROR): (\w+)", done.stderr, re.MULTILINE), done.stderr


def edit(project: Path) -> None:
    """Make the edits that the scripted replies ask for."""
    for call in CALLS:
        if call["name"] == "edit_file":
            path = project / call["arguments"]["path"]
            text = path.read_text(encoding="utf-8")
            for one in call["arguments"]["edits"]:
                assert text.count(one["old"]) == 1
                text = text.replace(one["old"], one["new"])
            path.write_text(text, encoding="utf-8")


def test_the_project_fails_in_one_test_and_passes_with_the_edits(project: Path) -> None:
    code, failing, _ = run_tests(project)
    assert (code, failing) == (1, ["test_instalments_add_up_to_the_invoice"])
    edit(project)
    code, failing, output = run_tests(project)
    assert (code, failing) == (0, []), output
    assert "Ran 14 tests" in output


def test_the_scripted_turn_tests_before_and_after_its_edits() -> None:
    names = [call["name"] for call in CALLS]
    assert names[0] == names[-1] == "run_tests"
    assert "edit_file" in names
    assert REPLIES[-1].get("calls", []) == []
    assert all(reply["reasoning"] for reply in REPLIES)


def test_the_scripted_calls_fit_the_tools() -> None:
    tools = load_tools([ROOT / "tools"])
    for call in CALLS:
        parameters = tools[call["name"]].parameters
        assert set(parameters["required"]) <= set(call["arguments"]) <= set(parameters["properties"])


def test_the_replies_are_a_cassette() -> None:
    assert len(read_cassette(DEMO / "replies.jsonl")) == len(REPLIES)


def test_what_the_final_text_cites_is_there(project: Path) -> None:
    edit(project)
    cited = re.findall(r"`([\w/.]+\.py):(\d+)`", REPLIES[-1]["text"])
    assert [name for name, _ in cited] == ["billing/money.py", "tests/test_money.py", "billing/instalments.py"]
    for (name, line), words in zip(cited, ("divmod", "left_over_go_to_the_first", "share_out"), strict=True):
        assert words in (project / name).read_text(encoding="utf-8").splitlines()[int(line) - 1]
