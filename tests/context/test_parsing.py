from __future__ import annotations

import pytest

from kcode.context.parsing import stop_parsing
from kcode.draft.files import Change
from kcode.draft.hunks import propose
from tests.draft.reviews import text

WHOLE, HALF = "names = [\n    1,\n]\n", "names = [\n    1,\n\n\ndef f():\n    pass\n"


@pytest.mark.parametrize(
    ("path", "before", "after", "told"),
    [
        ("a.py", WHOLE, HALF, True),
        ("a.py", HALF, HALF + "\n", False),
        ("a.py", WHOLE, WHOLE + "\nb = 2\n", False),
        ("a.txt", WHOLE, HALF, False),
        ("a.js", "const a = [1];\n", "const a = [1;\nfunction f() {}\n", True),
        ("a.py", WHOLE, HALF + "# long\n" * 200_000, False),
    ],
)
def test_a_file_that_does_not_parse_any_more_is_told(path: str, before: str, after: str, told: bool) -> None:
    proposal = propose([Change(path, text(before.encode()), text(after.encode()))])
    assert stop_parsing(proposal) == ([path] if told else [])


def test_new_and_deleted_files_are_none_that_parsed_before() -> None:
    proposal = propose([Change("new.py", None, text(HALF.encode())), Change("old.py", text(WHOLE.encode()), None)])
    assert stop_parsing(proposal) == []
