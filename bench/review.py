"""Whether a large diff is reviewed without waiting: `python -m bench.review`."""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench.scripted import Row, show
from kcode.agent.place import open_place
from kcode.agent.reviewing import PendingReview
from kcode.draft.draft import open_draft
from kcode.draft.pending import Pending
from kcode.options import PlaceOptions
from kcode.safegit import open_git
from kcode.session.store import create_session
from kcode.tui.pendingdesk import PendingDesk
from kcode.tui.screens.review import ReviewScreen
from kcode.tui.texts import load_texts
from tests.repositories import new_repository, text_file
from tests.tui.reviewing import ReviewStage
from tests.tui.stage import shown

if TYPE_CHECKING:
    from collections.abc import Callable

LINES, STEP = 5_000, 10

USABLE_SECONDS, FREEZE_SECONDS = 0.5, 0.1
KEYS = 20
TICK = 0.002
DEADLINE = 60.0


def large_proposal(folder: Path) -> PendingDesk:
    """A file of 5,000 lines with 500 hunks, as a session's draft proposes it."""
    lines = [
        f"    value_{number} = compute(value_{number - 1}, 'text', {number})  # step {number}\n"
        for number in range(LINES)
    ]
    changed = [line.replace("compute", "derive") if at % STEP == 0 else line for at, line in enumerate(lines)]
    root = new_repository(folder / "work", {"shop/large.py": "".join(lines)})
    options = PlaceOptions(root)
    place = open_place(options)
    session = create_session(place.state, place.workspace.root, datetime.now(UTC), version="0", command="bench")
    git = open_git(place.workspace, place.git_folder)
    draft = open_draft(place.workspace, git, session.draft_folder, "copy")
    draft.write("shop/large.py", text_file("".join(changed)), "edit_file")
    return PendingDesk(
        PendingReview(Pending(place.workspace, draft, place.journal, session.id), session), place, options
    )


class Ticker:
    """Notes how long the event loop was not free, and how much of that it worked itself."""

    def __init__(self) -> None:
        self.longest = self.busiest = 0.0

    async def run(self) -> None:
        while True:
            start, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(TICK)
            self.longest = max(self.longest, time.perf_counter() - start - TICK)
            self.busiest = max(self.busiest, time.thread_time() - worked)


async def until(ready: Callable[[], bool]) -> None:
    end = time.perf_counter() + DEADLINE
    while not ready():
        assert time.perf_counter() < end, "the screen never came to that"
        await asyncio.sleep(TICK)


async def settled(screen: ReviewScreen) -> None:
    """Wait until what was asked for is drawn."""
    drawn = asyncio.Event()
    screen.call_after_refresh(drawn.set)
    await drawn.wait()


async def measure(desk: PendingDesk) -> dict[str, float]:
    """Seconds from opening the screen to its first hunk, the longest freezes, and CPU seconds of keys."""
    screen, ticker, found = ReviewScreen(desk, load_texts(), grace=0.0), Ticker(), dict[str, float]()
    app = ReviewStage(screen)
    async with app.run_test(size=(150, 45)):
        app.pop_screen()
        fresh = ReviewScreen(desk, load_texts(), grace=0.0)
        ticking = asyncio.create_task(ticker.run())
        start = time.perf_counter()
        await app.push_screen(fresh)
        await until(lambda: fresh.state is not None and "step 7" in shown(app))
        found["open"] = time.perf_counter() - start
        await until(lambda: not fresh.is_studying)
        found["all"] = time.perf_counter() - start
        found["freeze"], ticker.longest, ticker.busiest = ticker.longest, 0.0, 0.0
        spent = []
        for _ in range(KEYS):
            before = time.process_time()
            fresh.action_step(7)
            await settled(fresh)
            spent.append(time.process_time() - before)
        found["key"] = median(spent)
        for action in (fresh.action_toggle_split, fresh.action_toggle_wrap, lambda: fresh.action_toggle_folds(True)):
            action()
            await settled(fresh)
        await fresh.action_accept("*")
        await fresh.action_accept_all()
        await settled(fresh)
        found["acting"], found["busiest"] = ticker.longest, ticker.busiest
        ticking.cancel()
    return found


def main() -> bool:
    """Print the table; True when every bound is kept."""
    with tempfile.TemporaryDirectory(prefix="kcode-bench-") as scratch:
        os.environ["HOME"] = f"{scratch}/home"
        os.environ.pop("XDG_STATE_HOME", None)
        # As the program itself does, before and after it has imported what it needs.
        gc.set_threshold(50_000)
        gc.freeze()
        found = asyncio.run(measure(large_proposal(Path(scratch))))
    name = f"{LINES:,} lines, {LINES // STEP} hunks: "
    most = f"<= {FREEZE_SECONDS * 1000:.0f} ms"
    return show(
        [
            Row(
                f"{name}usable after",
                f"{found['open']:.2f} s",
                f"<= {USABLE_SECONDS} s",
                found["open"] <= USABLE_SECONDS,
            ),
            Row(f"{name}all in colour and explained after", f"{found['all']:.2f} s"),
            Row(
                f"{name}longest freeze meanwhile",
                f"{found['freeze'] * 1000:.0f} ms",
                most,
                found["freeze"] <= FREEZE_SECONDS,
            ),
            Row(
                f"{name}longest freeze on keys",
                f"{found['acting'] * 1000:.0f} ms",
                most,
                found["acting"] <= FREEZE_SECONDS,
            ),
            Row(f"{name}CPU of the longest freeze on keys", f"{found['busiest'] * 1000:.0f} ms"),
            Row(f"{name}CPU of a step to another hunk", f"{found['key'] * 1000:.1f} ms"),
        ]
    )


if __name__ == "__main__":
    main()
