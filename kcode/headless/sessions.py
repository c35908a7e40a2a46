"""`kcode sessions` and `kcode export`: the sessions of this folder, listed, named, forked and written down."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING

from kcode.agent.forking import fork_session
from kcode.agent.place import open_place
from kcode.agent.sessions import choose_session, list_sessions, rename_session
from kcode.agent.workbench import settings_for
from kcode.draft.draft import open_draft
from kcode.draft.patch import render_patch
from kcode.draft.pending import Pending
from kcode.errors import DraftError, UsageError
from kcode.headless.hunklist import fitted
from kcode.headless.jsonlines import write_line
from kcode.headless.product import print_text, write_file
from kcode.headless.terminal import GREEN, YELLOW, Terminal
from kcode.options import ModelOptions
from kcode.pricing import write_dollars
from kcode.providers.choice import known_endpoints
from kcode.providers.keys import known_keys
from kcode.safegit import open_git
from kcode.sanitize import sanitize_line
from kcode.session.export import write_html, write_json, write_markdown
from kcode.session.history import read_history
from kcode.session.summary import summarize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kcode.agent.place import Place
    from kcode.options import OutputOptions, PlaceOptions
    from kcode.session.store import Session
    from kcode.session.summary import SessionSummary

EXIT_NOTHING = 3
WRITERS = {"md": write_markdown, "html": write_html, "json": write_json}


def print_sessions(options: PlaceOptions, words: Sequence[str], *, json: bool) -> int:
    """Print the sessions of this workspace, or those that the words are in, the last one first."""
    found = list_sessions(open_place(options), words)
    if json:
        for one in found:
            write_line("session", **_fields(one))
        write_line("sessions.completed", count=len(found))
        return 0 if found else EXIT_NOTHING
    terminal = Terminal(os.environ)
    if not found:
        terminal.say("There is no session here with these words." if words else "There is no session here.", YELLOW)
        return EXIT_NOTHING
    columns, now = terminal.columns(sys.stdout), datetime.now().astimezone()
    sys.stdout.write("".join(f"{fitted(_line(one, now), columns)}\n" for one in found))
    sys.stdout.flush()
    return 0


def name_session(options: PlaceOptions, wanted: str, name: str) -> int:
    session = choose_session(open_place(options), wanted)
    rename_session(session, name)
    Terminal(os.environ).say(f"{session.id} is {summarize(session).title!r} from here on.", GREEN)
    return 0


def print_fork(options: PlaceOptions, wanted: str, at: int | None) -> int:
    """Fork a session, and print the id of the new one on stdout."""
    place = open_place(options)
    session = choose_session(place, wanted)
    fork = fork_session(place, session.id, at)
    sys.stdout.write(f"{fork.id}\n")
    sys.stdout.flush()
    where = f"as it was before turn {at}" if at is not None else "as it is"
    Terminal(os.environ).say(f"A copy of {session.id} {where}. Go on with it: kcode -r {fork.id}", GREEN)
    return 0


def export_session(options: PlaceOptions, wanted: str, form: str | None, output: OutputOptions) -> int:
    """Write a session as a document to stdout or a file."""
    suffix = output.file.suffix.lower().removeprefix(".") if output.file else ""
    chosen = form or {"markdown": "md", "htm": "html"}.get(suffix, suffix if suffix in WRITERS else "md")
    if chosen not in WRITERS:
        raise UsageError(f"--format {form}: it is md, json or html.")
    terminal = Terminal(os.environ, output.color)
    place = open_place(options)
    session = choose_session(place, wanted)
    settings = settings_for(ModelOptions())
    keys = known_keys(known_endpoints(settings).values(), settings, os.environ)
    document = WRITERS[chosen](summarize(session), read_history(session), _patch(place, session, terminal), keys)
    if output.file is None:
        print_text(document, terminal)
    else:
        write_file(output.file, document.encode())
        terminal.say(f"The session is in {output.file}.", GREEN)
    return 0


def _patch(place: Place, session: Session, terminal: Terminal) -> str:
    """What the session still proposes; "" where that is nothing or cannot be read."""
    if not session.draft_folder.is_dir():
        return ""
    try:
        draft = open_draft(place.workspace, open_git(place.workspace, place.git_folder), session.draft_folder)
        proposal = Pending(place.workspace, draft, place.journal, session.id).proposal()
    except DraftError as error:
        terminal.say(f"! {error}", YELLOW)
        return ""
    return render_patch(proposal, for_people=True).decode("utf-8", "replace")


def _line(one: SessionSummary, now: datetime) -> str:
    turns = f"{one.turns} {'turn' if one.turns == 1 else 'turns'}"
    about = "≈" if one.cost_is_estimate else ""
    cost = "?" if one.cost is None else f"{about}{write_dollars(one.cost)}" if one.cost else "-"
    pending = (
        f"{one.pending_files} {'file' if one.pending_files == 1 else 'files'} pending  " if one.pending_files else ""
    )
    pending += "open  " if one.is_open else ""
    return f"{one.id}  {_age(one.last_used, now):<8}  {turns:>9}  {cost:>9}  {pending}{sanitize_line(one.title)}"


def _age(moment: datetime, now: datetime) -> str:
    minutes = max(0, int((now - moment).total_seconds() // 60))
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes >= size:
            return f"{minutes // size} {unit} ago"
    return f"{minutes} m ago" if minutes else "just now"


def _fields(one: SessionSummary) -> dict[str, object]:
    return {
        "id": one.id,
        "title": one.title,
        "started": one.started.isoformat(),
        "last_used": one.last_used.isoformat(),
        "command": one.command,
        "model": one.model,
        "endpoint": one.endpoint,
        "turns": one.turns,
        "messages": one.messages,
        "pending_files": one.pending_files,
        "cost_usd": one.cost,
        "cost_is_estimate": one.cost_is_estimate,
        "is_open": one.is_open,
    }
