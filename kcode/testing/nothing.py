"""Telling a run that had no test to run from one that failed."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from typing import TYPE_CHECKING

from kcode.results import CommandEnd
from kcode.textfile import without_colors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kcode.results import CommandResult
    from kcode.testing.outcome import Outcome

# pytest and unittest from Python 3.12 on.
_EXIT_NOTHING = 5
# What runners say that end with another code then, in the order of the readers in console.py.
_SAID = re.compile(
    r"^(?:ERROR: (?:not found|file or directory not found): |No tests found, exiting|No test files found, exiting"
    r"|Error: No test files found|No examples found\.|No tests executed!|There are no tests to run"
    r"|Paths given to .* did not match|go: .* matched no packages|error: No test modules found"
    r"|.*\bNo tests (?:were executed!|matching pattern .* were executed!)|.*\bNo tests found for given includes"
    r"|1\.\.0[ \t]*$|No test (?:matches the given testcase filter|is available in )|No tests were found!!!)",
    re.MULTILINE,
)
_CODE = r"\.(?:py|[cm]?[jt]sx?|rs|go|java|kt|scala|rb|php|exs?|cs|c|cc|cpp|cxx|swift|lua|sh)$"
_TEST_FILE = re.compile(
    rf"(?:^|/)(?:(?:tests?|specs?|__tests__)/(?:[^/]+/)*(?!conftest|__init__)[^/]+"
    rf"|[Tt]ests?(?:[_-][^/]*)?|[^/]*(?:[._-](?:tests?|spec)|Tests?|Spec)){_CODE}"
)
_MOST_FOLDERS = 8


def ran_nothing(result: CommandResult, outcome: Outcome | None) -> bool:
    """Whether the runner came to its end without a test to run, passed, failed or skipped."""
    if result.end is not CommandEnd.EXITED:
        return False
    if outcome is not None and (outcome.passed or outcome.failed or outcome.skipped):
        return False
    counted = outcome is not None and outcome.passed == 0 == outcome.failed
    if counted and result.exit_code in {0, _EXIT_NOTHING}:
        return True
    return _SAID.search(without_colors(result.output)) is not None


def describe_test_files(files: Iterable[str]) -> str:
    """A sentence on where the files are that look like tests."""
    found = [file for file in files if _TEST_FILE.search(file)]
    if not found:
        return "No test files were found."
    folders = Counter(posixpath.dirname(file) for file in found).most_common()
    names = [f"{folder or 'the top folder'} ({count})" for folder, count in folders[:_MOST_FOLDERS]]
    more = f" and {len(folders) - _MOST_FOLDERS} more folders" if len(folders) > _MOST_FOLDERS else ""
    return f"Test files are in {', '.join(names)}{more}."
