"""A session in the demo's project, with a proposal that shows what a review can show."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import kcode
from kcode.agent.accounting import LAYERS, Account, Forecast, Layer
from kcode.agent.place import open_place
from kcode.agent.tally import Tally
from kcode.draft.draft import open_draft
from kcode.draft.versions import TestRun
from kcode.messages import AssistantMessage, ToolCall, Usage
from kcode.options import PlaceOptions
from kcode.results import CommandResult, TestReport
from kcode.safegit import open_git
from kcode.session.store import SessionLog, create_session
from tests.headless.proposals import Proposed
from tests.repositories import new_repository

if TYPE_CHECKING:
    from collections.abc import Sequence

DEMO = Path(kcode.__file__).parent / "_demo" / "project"
ISSUE = "An invoice of 100.00 over three months is billed as 3 x 33.33. The instalments must add up to the invoice."
THOUGHT = (
    "There it is: round(cents / parts) is taken once and repeated, so the remainder is lost, or made up, as many times "
    "as there are parts. With divmod the remainder is known: that many parts take one cent more.\n"
    "The tests of share_out only know an even amount, so I add one that has a remainder."
)
NOTES = "# 分期付款 (instalments)\n\n金额以整数的分计算。\n每期金额相同。\n"
MONEY = (
    ('"""Divide an amount into equal parts."""', '"""Divide an amount into parts that add up to it; the first ones take what is left over."""'),
    ("    return [round(cents / parts)] * parts", "    share, left_over = divmod(cents, parts)\n    return [share + 1] * left_over + [share] * (parts - left_over)"),
)  # fmt: skip
LAST_LINE = "        self.assertEqual(share_out(9000, 3), [3000, 3000, 3000])\n"
MORE_LINES = """
    def test_cents_left_over_go_to_the_first_parts(self):
        self.assertEqual(share_out(10000, 3), [3334, 3333, 3333])
        self.assertEqual(share_out(-100, 3), [-33, -33, -34])
"""
ANSWER = """\
The instalments now add up to the invoice, and all tests pass.

- **Cause:** `share_out` rounded one share and repeated it (`billing/money.py:32`), so the remainder was lost.
- **Change:** the first instalments take one cent more until nothing is left over.

| invoice | before | now |
| --- | ---: | ---: |
| 100.00 | 3 x 33.33 | 33.34, 33.33, 33.33 |
| 200.00 | 3 x 66.67 | 66.67, 66.67, 66.66 |

```python
share, left_over = divmod(cents, parts)
```

The note in `docs/说明.md` says so too."""
EDIT_MONEY = ToolCall("functions.edit_file:3", "edit_file", '{"path": "billing/money.py"}')
EDIT_TEST = ToolCall("functions.edit_file:4", "edit_file", '{"path": "tests/test_money.py"}')
PASSED = TestReport("python -m unittest", CommandResult(0, ""), 14, 0, 0)
PASSED_RUN = TestRun(ok=True, passed=14, failed=0, skipped=0)


def propose_in_demo(folder: Path) -> Proposed:
    """Two files by two calls, tested, and a file in Chinese that was not."""
    files = {path.relative_to(DEMO).as_posix(): path.read_text(encoding="utf-8") for path in DEMO.rglob("*.[pm][yd]")}
    root = new_repository(folder / "billing", files | {"docs/说明.md": NOTES})
    options = PlaceOptions(root)
    place = open_place(options)
    session = create_session(place.state, place.workspace.root, datetime.now(UTC), version="0", command="chat")
    git = open_git(place.workspace, place.git_folder)
    proposed = Proposed(root, options, session, open_draft(place.workspace, git, session.draft_folder, "copy"))
    with SessionLog(session) as log:
        log.append_message(AssistantMessage("", THOUGHT, (EDIT_MONEY, EDIT_TEST)))
    proposed.edit("billing/money.py", *MONEY, call=EDIT_MONEY.id)
    proposed.edit("tests/test_money.py", (LAST_LINE, LAST_LINE + MORE_LINES), call=EDIT_TEST.id)
    proposed.draft.versions.note_tests(PASSED)
    proposed.edit("docs/说明.md", ("每期金额相同。", "前几期多付一分,直到余数用完。"))
    return proposed


def sources(paths: Sequence[str] = ()) -> list[str]:
    """What `@` offers in it."""
    found = sorted(path.relative_to(DEMO).as_posix() for path in DEMO.rglob("*.py"))
    return [*found, "docs/说明.md", *paths]


def account(tokens: int, cached: int, cost: float) -> Account:
    shares = (30, 14, 3, 2, 190, 12, 4, 160, 20, 90, 475)
    return Account(
        model="kimi-k2-thinking",
        window=262_144,
        room=196_608,
        layers=tuple(Layer(name, tokens * share // 1000, name == "tools") for name, share in zip(LAYERS, shares, strict=True)),
        tokens=tokens,
        is_exact=False,
        last=Usage(tokens - 1_200, 480, cached, 0.0061, 210, True),
        spent=Tally(9, Usage(tokens * 4, 9_100, tokens * 3, cost, 4_400, True)),
        next=Forecast(cached, tokens - cached, 0.0049),
        soft=131_072,
        hard=183_500,
        compactions=1,
    )  # fmt: skip
