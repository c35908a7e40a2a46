"""What the conversation does beside talking: commands, a command in the sandbox, and sending an earlier message anew."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from kcode.commands.table import COMMANDS, load_command, unknown_command
from kcode.errors import KcodeError, UsageError
from kcode.folders import config_folder, make_folder
from kcode.tui.widgets.activity import Activity
from kcode.tui.widgets.composer import Composer

if TYPE_CHECKING:
    from kcode.tui.preferences import Preferences
    from kcode.tui.screens.conversation import ConversationScreen
    from kcode.tui.screens.hearing import HearingScreen


async def run_command(screen: ConversationScreen, name: str, words: str) -> None:
    """Run a slash command; what cannot be done is told where the user types, what goes wrong in the conversation."""
    try:
        if (found := screen.source.word_command(name)) is not None:
            screen.say(f"/{name} {words}".strip(), found.message(words))
        elif name in COMMANDS:
            await load_command(name)(screen.front, words)
        else:
            raise unknown_command(name, COMMANDS)
    except UsageError as error:
        screen.remark(str(error))
    except KcodeError as error:
        screen.front.tell(str(error), "error")


def run_shell(screen: ConversationScreen, command: str) -> None:
    """Run the user's own command over the draft, in the sandbox, once no turn runs; the model hears of it after that."""
    if screen.running:
        screen.transcript.add_user(f"!{command}", queued=True)
        screen.count_waiting()
    screen.running = True
    screen.transcript.viewport.follows = True
    screen.kcode.talk.have(lambda turns: turns.run_command(command))


async def resend(screen: ConversationScreen, words: str, at: int) -> None:
    """Go on in a fork of this session from its turn `at`, counted from 1, with other words."""
    from kcode.tui.shelf import fork  # noqa: PLC0415 - needed by few sessions

    try:
        forked = await asyncio.to_thread(fork, screen.kcode.place, screen.kcode.session, at)
    except KcodeError as error:
        screen.front.tell(str(error), "error")
        return
    screen.kcode.change_session(forked, words)


def move(screen: HearingScreen, action: str, argument: str | int) -> None:
    """Scroll or walk through the conversation, wherever the focus is."""
    transcript = screen.transcript
    match action, argument:
        case "toggle_all", str(what):
            transcript.action_toggle_all(what)
        case "page", -1:
            transcript.scroll_page_up(animate=False)
        case "page", _:
            transcript.scroll_page_down(animate=False)
        case "end", -1:
            transcript.scroll_home(animate=False)
        case "end", _:
            transcript.scroll_end(animate=False)
        case "step", int(step):
            transcript.focus()
            transcript.action_step(step)
        case _:
            pass


def view_outside(screen: ConversationScreen, text: str, name: str) -> None:
    """Show the text in the user's editor; what they change of it there is let be."""
    from kcode.editor import edit_text  # noqa: PLC0415 - needed by few sessions

    try:
        with screen.app.suspend():
            edit_text(make_folder(screen.kcode.place.typed), f"{name}.md", text.encode(), os.environ)
    except (KcodeError, SuspendNotSupported) as error:
        screen.front.tell(str(error), "warning")


async def tell_resumed(screen: HearingScreen) -> None:
    """Say which session this is; where the command line did not name it, also which other one proposes something."""
    from kcode.tui.shelf import PlaceShelf  # noqa: PLC0415 - after the first paint

    app, texts = screen.kcode, screen.texts
    try:
        entries = await asyncio.to_thread(PlaceShelf(app.place).entries)
    except KcodeError:
        entries = ()  # then it is a session without a title
    own = next((one for one in entries if one.id == screen.resumed), None)
    screen.tell(texts("app.resumed_as", title=own.title) if own else texts("app.resumed"))
    if app.current_mode != app.DEFAULT_MODE:
        return
    other = next((one for one in entries if one.id != screen.resumed and one.pending_files), None)
    if other is not None:
        screen.tell(texts("app.other_pending", count=other.pending_files, title=other.title, session=other.id))


async def learn_workspace(screen: ConversationScreen) -> None:
    """Have the composer know the workspace's files and definitions, and the user's own commands."""
    from kcode.commands.words import load_word_commands  # noqa: PLC0415 - after the first paint
    from kcode.tui.completing import SymbolPlace  # noqa: PLC0415

    words, warnings = await asyncio.to_thread(load_word_commands, config_folder(os.environ) / "commands")
    screen.source.know_words(words)
    for warning in warnings:
        screen.front.tell(warning, "warning")
    try:
        screen.source.know_files(await screen.kcode.talk.call(lambda bench: bench.files()))
        # The index may be waited for, and the talk is not to wait with it.
        definitions = await screen.kcode.talk.run(lambda bench: asyncio.to_thread(bench.definitions))
    except KcodeError:
        return  # then paths can be typed in full
    screen.source.know_symbols(
        [SymbolPlace(symbol.name, path, symbol.start, symbol.end, symbol.kind) for path, symbol in definitions]
    )


def take_preferences(screen: ConversationScreen, preferences: Preferences) -> None:
    """Have the screen look and act as the user has set it by now."""
    former, screen.preferences = screen.preferences, preferences
    if former.linear != preferences.linear:
        screen.draft.is_wanted = not preferences.linear
        screen.draft.come_or_go()
    screen.query_one(Activity).is_still = preferences.linear
    stack = screen.transcript.stack
    stack.show_reasoning(preferences.reasoning)
    stack.read_aloud(is_linear=preferences.linear)
    screen.transcript.flush()
    screen.query_one(Composer).use_vim(on=preferences.vim)
    screen.set_class(preferences.linear, "-linear")
