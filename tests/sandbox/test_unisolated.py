from __future__ import annotations

import sys
import venv
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


def test_python_imports_from_the_draft_also_what_is_installed_from_the_workspace(open_place: Place) -> None:
    """An editable install names the workspace in a `.pth` file."""
    for folder in (open_place.root, open_place.drafted):
        for name in ("src/inner", "outer"):
            (folder / name).mkdir(parents=True)
            (folder / name / "__init__.py").touch()
    venv.create(open_place.home / "venv", symlinks=True)
    (site,) = (open_place.home / "venv/lib").glob("python*/site-packages")
    (site / "editable.pth").write_text(f"{open_place.root}/src\n{open_place.root}\n")
    script = "import inner, outer; print(inner.__file__, outer.__file__, sep='\\n')"
    result = open_place.run(str(open_place.home / "venv/bin/python"), "-c", script, folder="folder")
    assert result.output == f"{open_place.drafted}/src/inner/__init__.py\n{open_place.drafted}/outer/__init__.py\n"


def test_the_drafts_folders_come_before_the_users_python_path(open_place: Place) -> None:
    place = open_place.with_environment(PYTHONPATH="/of/the/user")
    assert place.sh('echo "$PYTHONPATH"').output == f"{open_place.drafted}\n"
    found = place.sh('echo "$PYTHONPATH"', passed_names={"PYTHONPATH"}).output
    assert found == f"{open_place.drafted}:/of/the/user\n"


def test_python_is_sent_nowhere_else_where_the_draft_stands_in_the_workspaces_place(best_place: Place) -> None:
    assert best_place.sh('echo "${PYTHONPATH-unset}"').output == "unset\n"
