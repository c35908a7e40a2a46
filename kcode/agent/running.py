"""One call that runs, as events: what it writes while it does, how it ended, and what it changed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from kcode.events import DraftChanged, ToolCallFinished, ToolCallOutput

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine
    from typing import Any

    from kcode.events import Event
    from kcode.messages import ToolCall
    from kcode.results import ToolResult


class HeardView(Protocol):
    """What of the draft's view tells how a call goes."""

    on_output: Callable[[str], None] | None
    """Gets a running command's output piece by piece, for the screen."""

    def take_changes(self) -> tuple[str, ...]:
        """The draft's paths that changed since this was last asked."""


async def run_heard(
    view: HeardView,
    call: ToolCall,
    work: Callable[[], Coroutine[Any, Any, ToolResult]],
    hear: Callable[[str], None] = lambda _: None,
) -> AsyncGenerator[Event, None]:
    """Run the work of a call; `hear` gets its output too. Closed early, it is cancelled, and waited for."""
    began = time.monotonic()
    output: asyncio.Queue[str | None] = asyncio.Queue()

    def receive(text: str) -> None:
        hear(text)
        output.put_nowait(text)

    view.on_output = receive
    task = asyncio.create_task(work())
    task.add_done_callback(lambda _: output.put_nowait(None))
    try:
        while (text := await output.get()) is not None:
            yield ToolCallOutput(call.id, text)
        result = task.result()
    finally:
        view.on_output = None
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
    yield ToolCallFinished(call, result, time.monotonic() - began)
    if changed := view.take_changes():
        yield DraftChanged(changed)
