"""Opening the other screens over the conversation, each with what it shows, and what comes of them."""

from __future__ import annotations

import asyncio
import os
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING

from kcode.errors import KcodeError
from kcode.folders import config_folder
from kcode.tui.keys import KEYS, shown_keys
from kcode.tui.preferences import choices_of
from kcode.tui.stepping import tell_written, written
from kcode.tui.working import run_beside

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from kcode.agent.accounting import Account
    from kcode.agent.pins import Pins
    from kcode.agent.windowfiles import WindowFile
    from kcode.agent.workbench import Workbench
    from kcode.commands.front import Shown
    from kcode.tui.screens.conversation import ConversationScreen
    from kcode.tui.screens.settings import Setting


async def open_screen(conversation: ConversationScreen, which: Shown) -> None:
    """Show the screen and carry out what the user chose there; what goes wrong is told in the conversation."""
    try:
        await _OPENERS[which](conversation)
    except KcodeError as error:
        conversation.remark(str(error))


async def _review(conversation: ConversationScreen, *, apply: bool = False) -> None:
    from kcode.agent.reviewing import review_of  # noqa: PLC0415 - after the first paint
    from kcode.tui.pendingdesk import PendingDesk  # noqa: PLC0415
    from kcode.tui.reviewapp import review_screen  # noqa: PLC0415

    app, texts = conversation.kcode, conversation.texts

    def make_desk(bench: Workbench) -> PendingDesk | None:
        if not bench.view.is_open:
            return None
        return PendingDesk(review_of(bench), bench.place, app.start.place)

    if conversation.running:
        # What the turn is about to propose comes in while one looks.
        await app.talk.run(lambda bench: bench.view.ready())
    desk = await app.talk.call(make_desk)
    if desk is None or not (conversation.running or desk.look().proposal):
        conversation.remark(texts("app.review_nothing"))
        return
    screen = review_screen(desk, texts, app.preferences)
    screen.ends_when_done = True
    before = await app.talk.call(written)
    app.reviewing = screen
    if apply:
        screen.call_after_refresh(screen.action_apply)
    try:
        outcome = await app.push_screen_wait(screen)
    finally:
        app.reviewing = None
    app.talk.look_at_draft()
    tell_written(conversation, before, await app.talk.call(written), outcome)


async def _apply(conversation: ConversationScreen) -> None:
    await _review(conversation, apply=True)


async def _sessions(conversation: ConversationScreen) -> None:
    from kcode.tui.screens.sessions import Fork, SessionsScreen  # noqa: PLC0415 - after the first paint
    from kcode.tui.shelf import PlaceShelf, fork  # noqa: PLC0415

    app = conversation.kcode
    chosen = await app.push_screen_wait(SessionsScreen(conversation.texts, PlaceShelf(app.place)))
    if chosen is None:
        return
    if conversation.running:
        conversation.remark(conversation.texts("commands.turn_runs"))
    elif isinstance(chosen, Fork):
        app.change_session(await asyncio.to_thread(fork, app.place, chosen.id))
    else:
        app.change_session(chosen.id)


async def _context(conversation: ConversationScreen) -> None:
    from kcode.agent.windowfiles import files_in_window  # noqa: PLC0415 - after the first paint
    from kcode.tui.screens.context import ContextScreen  # noqa: PLC0415

    app = conversation.kcode

    def read(bench: Workbench) -> tuple[Account, list[WindowFile], Pins]:
        compactor = bench.desk.compactor
        assert compactor is not None  # every conversation has one
        return bench.account(), files_in_window(bench.desk.conversation.messages), compactor.pins

    async def set_pins(pins: Pins) -> None:
        def take(bench: Workbench) -> None:
            assert bench.desk.compactor is not None
            bench.desk.compactor.pins = pins
            bench.log.append_pins(pins.kept, pins.dropped)

        try:
            await app.talk.call(take)
        except KcodeError as error:
            conversation.front.tell(str(error), "warning")

    def keep(pins: Pins) -> None:
        run_beside(app, partial(set_pins, pins), group="pins")

    account, files, pins = await app.talk.call(read)
    wanted = await app.push_screen_wait(ContextScreen(conversation.texts, account, files, pins, keep))
    if wanted is not None:
        conversation.front.begin("compact", wanted.focus)


async def _help(conversation: ConversationScreen) -> None:
    from kcode.tui.screens.help import HelpItem, HelpScreen  # noqa: PLC0415 - after the first paint

    texts, own = conversation.texts, conversation.preferences.keys
    keys = [HelpItem(shown_keys(key.id, own), texts(f"keys.{key.id}"), texts(f"keys.in-{key.scope}")) for key in KEYS]
    group = texts("app.commands")
    commands = [HelpItem(f"/{one.name}", one.help, group) for one in conversation.source.commands()]
    await conversation.kcode.push_screen_wait(HelpScreen(texts, keys, commands))


async def _settings(conversation: ConversationScreen) -> None:
    from kcode.tui.origins import find_origins  # noqa: PLC0415 - after the first paint
    from kcode.tui.screens.settings import SettingsScreen  # noqa: PLC0415 - after the first paint

    app = conversation.kcode

    def used(bench: Workbench) -> dict[str, str]:
        endpoint = bench.provider.endpoint
        return {"endpoint": endpoint.name, "base_url": endpoint.base_url, "model": bench.provider.model}

    config = config_folder(os.environ) / "config.toml"
    default = conversation.texts("app.origin_default")
    origins = find_origins(app.start.model, await app.talk.call(used), os.environ, config, default)
    screen = SettingsScreen(conversation.texts, _settings_of(conversation), app.set_preference, origins)
    await app.push_screen_wait(screen)


def _settings_of(conversation: ConversationScreen) -> list[Setting]:
    from kcode.tui.screens.settings import Setting  # noqa: PLC0415 - after the first paint

    preferences = conversation.kcode.preferences
    found = []
    for one in fields(preferences):
        value = getattr(preferences, one.name)
        if one.name == "keys":
            continue
        choices = choices_of(one.name) or ("true", "false")
        words = conversation.texts(f"settings.{one.name}")
        shown = str(value).lower() if isinstance(value, bool) else value
        found.append(Setting(one.name, words, shown, choices, waits=one.name == "language"))
    return found


async def _journal(conversation: ConversationScreen) -> None:
    from kcode.tui.screens.journal import JournalScreen  # noqa: PLC0415 - after the first paint
    from kcode.tui.shelf import PlaceShelf  # noqa: PLC0415

    app = conversation.kcode
    shelf = PlaceShelf(app.place)
    screen = JournalScreen(
        conversation.texts,
        app.place.workspace,
        app.place.journal,
        title_of=shelf.title_of,
        on_written=lambda _: app.talk.look_at_draft(),
    )
    await app.push_screen_wait(screen)


_OPENERS: Mapping[Shown, Callable[[ConversationScreen], Awaitable[None]]] = {
    "review": _review,
    "apply": _apply,
    "sessions": _sessions,
    "context": _context,
    "help": _help,
    "settings": _settings,
    "journal": _journal,
}
