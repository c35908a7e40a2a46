"""/diff: the pending proposal as a patch in the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Front


async def run(front: Front, words: str) -> None:
    del words
    patch = await front.call(render_pending)
    if patch:
        front.show_patch(patch)
    else:
        front.tell(front.text("commands.nothing_pending"))


def render_pending(bench: Workbench) -> str:
    """The patch of what is proposed and not rejected, for people to read; "" for none."""
    from kcode.agent.reviewing import review_of  # noqa: PLC0415 - needed by few sessions
    from kcode.draft.patch import render_patch  # noqa: PLC0415

    if not bench.view.is_open:
        return ""
    proposal = review_of(bench).proposal()
    return render_patch(proposal, for_people=True).decode("utf-8", "surrogateescape") if proposal else ""
