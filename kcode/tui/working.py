"""Work of a widget or an app that goes on beside what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.dom import DOMNode
    from textual.worker import Worker


def run_beside(
    node: DOMNode, work: Callable[[], Coroutine[Any, Any, object]], *, group: str, exclusive: bool = False
) -> Worker[None]:
    """Run this as a worker, which ends with its node; an `exclusive` one ends the others of its group.

    A function and not its coroutine: of one that is ended before it has begun nobody would await that, which Python
    complains of on stderr.
    """
    return node.run_worker(cast("Callable[[], Coroutine[None, None, None]]", work), group=group, exclusive=exclusive)
