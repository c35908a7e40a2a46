"""What is done where a session cannot be opened: the user is asked for what is missing, or for another way to go on."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from kcode.errors import KcodeError, NoKeyError, SessionInUseError

if TYPE_CHECKING:
    from kcode.tui.app import KcodeApp


async def tell_not_opened(app: KcodeApp, error: KcodeError) -> None:
    """Ask for a key or for another session, where that is what it takes; else say what is wrong."""
    match error:
        case NoKeyError():
            await _ask_for_key(app, error)
        case SessionInUseError():
            await _ask_for_session(app)
        case _:
            app.conversation.front.tell(str(error), "error")


async def _ask_for_key(app: KcodeApp, error: NoKeyError) -> None:
    from kcode.providers.logins import Logins  # noqa: PLC0415 - needed by few sessions
    from kcode.tui.screens.first_run import Demo, FirstRunScreen, Ready  # noqa: PLC0415

    match await app.push_screen_wait(FirstRunScreen(app.texts, Logins(), str(error))):
        case Ready(endpoint, base_url):
            app.start = replace(app.start, model=replace(app.start.model, endpoint=endpoint, base_url=base_url))
            app.change_session(app.start.resume)
        case Demo():
            app.wants_demo = True
            app.leave()
        case _:
            app.conversation.front.tell(str(error), "warning")


async def _ask_for_session(app: KcodeApp) -> None:
    """Go on in a copy of the session that another process works in, or elsewhere; what was typed comes along."""
    from kcode.tui.history import Unsent  # noqa: PLC0415 - needed by few sessions
    from kcode.tui.shelf import fork  # noqa: PLC0415
    from kcode.tui.widgets.composer import Composer  # noqa: PLC0415
    from kcode.tui.widgets.question import Pick  # noqa: PLC0415

    screen, texts = app.conversation, app.texts
    choices = tuple(
        (letter, texts(f"app.in_use_{what}")) for letter, what in (("f", "fork"), ("s", "sessions"), ("q", "quit"))
    )
    match await screen.questions.ask(Pick(texts("app.in_use"), choices)):
        case "f":
            try:
                forked = await asyncio.to_thread(fork, app.place, screen.resumed or "")
            except KcodeError as failed:
                screen.tell(str(failed), "error")
                return
            composer = screen.query_one(Composer)
            Unsent(app.place.typed, forked).save(composer.typed)
            composer.empty()
            app.change_session(forked)
        case "s":
            screen.action_open("sessions")
        case "q":
            app.leave()
        case _:
            screen.remark(texts("app.in_use_still"))
