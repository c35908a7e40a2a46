from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from kcode.results import CommandEnd
from tests.sandbox.test_ending import STUBBORN

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.place import Place


def test_a_command_runs_in_the_draft_itself(open_place: Place) -> None:
    result = open_place.sh("pwd; echo x > made; exit 3", folder="folder")
    assert (result.exit_code, result.output) == (3, f"{open_place.drafted}/folder\n")
    assert (open_place.drafted / "folder" / "made").exists()
    assert not (open_place.root / "folder" / "made").exists()


def test_the_environment_is_as_small_as_in_a_sandbox(open_place: Place) -> None:
    result = open_place.with_environment(MOONSHOT_API_KEY="sk-secret").sh("env")
    assert "sk-secret" not in result.output
    assert "CI=1\n" in result.output


def test_what_a_command_leaves_behind_is_ended(
    open_place: Place, mark: str, marked: Callable[[str], list[int]]
) -> None:
    for seconds, end in (("0", CommandEnd.EXITED), ("600", CommandEnd.TIMEOUT)):
        result = open_place.python(STUBBORN, mark, seconds, seconds=1)
        assert result.end is end
        assert marked(mark) == []


def test_exit_codes_and_missing_programs_are_told(open_place: Place) -> None:
    assert open_place.sh("kill -9 $$").exit_code == -9
    assert open_place.run("kcode-no-such-program").exit_code == 127
    assert open_place.run(sys.executable, "-c", "import sys; sys.exit(5)").exit_code == 5
