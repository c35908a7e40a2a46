"""Everything that one conversation works with, put together once and closed once."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from kcode import __version__
from kcode.agent.accounting import Account, Ledger, account_for
from kcode.agent.briefing import WorkspaceBriefing
from kcode.agent.compaction import Compactor
from kcode.agent.costlimit import check_limit
from kcode.agent.ground import SessionGround
from kcode.agent.length import RequestLength
from kcode.agent.packing import describe_pack
from kcode.agent.pins import Pins
from kcode.agent.place import open_place
from kcode.agent.resumption import (
    conversation_in,
    describe_change,
    go_on_with,
    keep_situation,
    open_earlier,
    recall_situation,
    reopen_draft,
    settings_for_past,
)
from kcode.agent.secrecy import describe_allowed
from kcode.agent.shell import Shell
from kcode.agent.steering import WaitingMessages
from kcode.agent.toolbox import choose_tools, describe_tools
from kcode.agent.turn import Desk, Limits
from kcode.agent.view import DraftView
from kcode.agent.websearch import describe_web_search
from kcode.context.secretfiles import allow_files
from kcode.context.tokenizer import load_counter
from kcode.draft.draft import open_draft
from kcode.draft.files import Proposal
from kcode.errors import SessionError
from kcode.events import TurnFinished, TurnStarted
from kcode.folders import cache_folder_for, config_folder, remove_folder
from kcode.providers.choice import resolve_endpoint
from kcode.providers.openai_chat import open_provider
from kcode.providers.sdk import preload
from kcode.safegit import open_git
from kcode.sanitize import sanitize_names
from kcode.session.lock import SessionLock
from kcode.session.store import SessionLog, create_session, last_session, prune_sessions
from kcode.settings import load_settings
from kcode.snapshot import start_snapshot

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from pathlib import Path
    from types import TracebackType

    from kcode.agent.place import Place
    from kcode.agent.resumption import Earlier
    from kcode.agent.tally import Tally
    from kcode.context.symbols import Symbol
    from kcode.draft.pending import Pending
    from kcode.events import Event
    from kcode.options import ModelOptions, PlaceOptions
    from kcode.providers.openai_chat import OpenAIChat
    from kcode.results import TestReport
    from kcode.session.store import Session
    from kcode.settings import Settings
    from kcode.workspace import Workspace

_NOT_PACKED = "Files are packed into the first request of a session, and this one has begun: nothing is packed."


def settle_journal(place: Place) -> list[str]:
    """Settle what a crash interrupted while it wrote the user's files; returns what to tell the user of it."""
    if not place.journal.is_dir():
        return []
    from kcode.draft.journal import recover  # noqa: PLC0415 - most runs begin where nothing was ever applied

    lines = []
    for operation in recover(place.workspace, place.journal):
        outcome = "was finished" if operation.state == "done" else "was taken back"
        lines.append(f"Writing {sanitize_names(operation.paths)} had been interrupted; it {outcome}.")
        if operation.left:
            lines.append(f"Left as found, since somebody changed them meanwhile: {sanitize_names(operation.left)}.")
    return lines


def open_pending(place: Place) -> Pending | None:
    """What the last session here left to be decided; None when there is no such session."""
    session = last_session(place.state, place.workspace.root)
    if session is None:
        return None
    draft = open_draft(place.workspace, open_git(place.workspace, place.git_folder), session.draft_folder)
    from kcode.draft.pending import Pending  # noqa: PLC0415 - not needed before the first request has left

    return Pending(place.workspace, draft, place.journal, session.id)


class Workbench:
    """One conversation's session, draft, tools and model. Closed by `aclose`, or as an async context."""

    def __init__(
        self,
        place: Place,
        settings: Settings,
        session: Session,
        desk: Desk,
        provider: OpenAIChat,
        log: SessionLog,
        briefing: WorkspaceBriefing,
        lock: SessionLock,
        ledger: Ledger,
    ) -> None:
        self.place = place
        self.settings = settings
        self.session = session
        self.waiting = WaitingMessages()
        """What the user says while a turn runs."""
        self.desk = replace(desk, inbox=self.waiting, address=self._address)
        self.provider = provider
        self.warnings: tuple[str, ...] = ()
        self.packed: tuple[str, ...] = ()
        """What was packed into the first request at the user's wish, and what that costs."""
        self.ledger = ledger
        self.log = log
        self._told_left: set[str] = set()
        self._briefing = briefing
        self._lock = lock

    def _address(self, words: str) -> str:
        from kcode.agent.reviewing import with_review_if_possible  # noqa: PLC0415 - it stands on this module

        return with_review_if_possible(self, words)

    @property
    def spent(self) -> Tally:
        """What the session took so far, over all its turns and runs."""
        return self.ledger.spent

    def account(self, *, by_layers: bool = True) -> Account:
        """What fills the window now and what it costs, for the screen: estimated where the endpoint has not counted."""
        return account_for(
            self.desk.conversation,
            self.ledger,
            model=self.provider.model,
            window=self.provider.window,
            billing=self.provider.billing,
            tools=describe_tools(self.desk.tools.values()),
            by_layers=by_layers,
        )

    def files(self) -> Sequence[str]:
        """The paths of the workspace's files, but for those that are ignored."""
        return self._briefing.files

    def definitions(self) -> list[tuple[str, Symbol]]:
        """What the workspace's files define, as far as the index knows by now."""
        return self._briefing.overview.index().definitions() if self._briefing.files else []

    @property
    def own_prompts(self) -> Path:
        """Where the user's own prompts would be."""
        return config_folder(os.environ) / "prompts"

    @property
    def workspace(self) -> Workspace:
        return self.place.workspace

    @property
    def pending(self) -> Pending:
        """The open draft as what waits for the user's decision."""
        from kcode.draft.pending import Pending  # noqa: PLC0415 - not needed before the first request has left

        return Pending(self.workspace, self.view.draft, self.place.journal, self.session.id)

    @property
    def view(self) -> DraftView:
        view = self.desk.view
        assert isinstance(view, DraftView)  # open_workbench put it there
        return view

    def record(self, event: Event) -> None:
        """Keep in the session's log what an event says beside the messages, and sum what replies took."""
        self.ledger = self.ledger.with_event(event)
        if isinstance(event, TurnStarted):
            # With what the draft is before the turn, so that all of the turn can be undone.
            self.log.append_event(event, draft=self._checkpoint())
        else:
            self.log.append_event(event)
        if isinstance(event, TurnStarted | TurnFinished):
            self._keep_situation()

    def _checkpoint(self) -> str:
        if not self.view.is_open:
            return ""
        from kcode.draft.checkpoint import take_checkpoint  # noqa: PLC0415 - not needed before the first request has left

        return take_checkpoint(self.view.draft)

    def _keep_situation(self) -> None:
        keep_situation(self.session, self._briefing.situation, self.provider.without_key)

    def propose(self) -> Proposal:
        """The difference draft - workspace as it is now; empty while no draft is open.

        What the user did meanwhile is merged into the draft.
        """
        return self.pending.merge() if self.view.is_open else Proposal()

    def left_out(self, proposal: Proposal) -> list[str]:
        """What was changed in the draft and will never be proposed, in words for the user."""
        if not self.view.is_open:
            return []
        ignored = self.view.ignored_edits([change.path for change in proposal.changes])
        lines = [f"Not proposed, since git ignores it: {sanitize_names(ignored)}."] if ignored else []
        left = self.view.draft.left_out
        by_tests = [path for path in left.by_tests if path not in self._told_left]
        if by_tests:
            # They stay for the rest of the session: once is enough.
            self._told_left.update(by_tests)
            lines.append(f"Not proposed, since only the tests made it: {sanitize_names(by_tests)}.")
        if left.unfit:
            lines.append(f"Not proposed, since it is too large or cannot be read: {sanitize_names(left.unfit)}.")
        return lines

    def fresh_tests(self) -> TestReport | None:
        """The last run of all tests, if the draft is still what it ran over."""
        return self.view.shell.fresh_tests() if self.view.shell else None

    def apply(self, proposal: Proposal, allowed: Collection[str] = ()) -> None:
        """Write the proposal to the user's files, and keep in the log that the user wanted that.

        `allowed` are the read-only files that the user wants written all the same.
        """
        self.pending.apply(proposal, self.session.id, allowed=allowed)
        # The turn's own log is closed by now: who is asked may think for hours, and the log is locked while open.
        with SessionLog(self.session) as log:
            log.append_decision("applied", [change.path for change in proposal.changes])

    async def aclose(self) -> None:
        """End what still runs, close the connection and the log, and delete sessions that are too old to be missed."""
        with contextlib.ExitStack() as closing:
            closing.callback(self._lock.release)
            await self.view.aclose()
            await self.provider.aclose()
            self._briefing.close()
            self._keep_situation()
            self.log.close()
            if self.view.shell and self.view.is_open and self.view.began_draft and not self.view.draft.generation:
                # Nothing was ever changed in it; left behind it would hide what an earlier session proposes.
                with contextlib.suppress(SessionError):
                    remove_folder(self.session.draft_folder)
        prune_sessions(self.place.state, datetime.now(UTC))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def open_workbench(model: ModelOptions, options: PlaceOptions, command: str, resume: str | None = None) -> Workbench:
    """Put a new session together, or go on with the one whose id is `resume`; nothing is sent yet.

    Raises SessionError where that session cannot be gone on with: it is not here, or another process works in it.
    """
    settings = settings_for(model)
    place = open_place(options)
    if resume is None:
        return _put_together(place, settings, model, options, command)
    earlier = open_earlier(place, resume)
    with contextlib.ExitStack() as failing:
        failing.callback(earlier.lock.release)
        if model.replay is None:
            endpoint = resolve_endpoint(settings, os.environ)
            settings = settings_for_past(settings, earlier.past, endpoint.name)
        bench = _put_together(place, settings, model, options, command, earlier)
        failing.pop_all()
    assert bench.desk.compactor is not None  # every workbench has one
    bench.desk.compactor.pins = Pins(earlier.past.kept, earlier.past.dropped)
    return bench


def _put_together(
    place: Place,
    settings: Settings,
    model: ModelOptions,
    options: PlaceOptions,
    command: str,
    earlier: Earlier | None = None,
) -> Workbench:
    """A workbench for a new session, or for an earlier one.

    The order is for speed: importing the SDK takes longer than all the rest, so git starts to read before it, and
    the sandbox is tried only while the first reply is on its way.
    """
    git = open_git(place.workspace, place.git_folder)
    snapshot = start_snapshot(git)
    provider = open_provider(settings, os.environ, record=model.record, cassette=model.replay)
    config = config_folder(os.environ)
    cache = cache_folder_for(os.environ, place.workspace.root)
    allowed = allow_files(options.allow_secrets)
    briefing = WorkspaceBriefing(place.workspace, git, config, cache, provider.window, allowed)
    if earlier is None:
        briefing.begin(snapshot.files(), options.pack)
    cost_note = check_limit(settings.max_cost, provider, config / "config.toml")
    if model.replay is None:
        preload()
    session, lock = _begin(place, provider, command, earlier)
    log = SessionLog(session, clean=provider.without_key)
    tools = choose_tools(command, settings, provider.endpoint, config)
    notes = [
        *([cost_note] if cost_note else []),
        *([describe_web_search(provider.endpoint)] if settings.web_search else []),
        *([describe_allowed(git, allowed)] if options.allow_secrets else []),
    ]
    shell = None
    if command != "ask":
        outputs, isolate = session.outputs_folder, not options.no_sandbox
        shell = Shell(place.workspace, session.folder, outputs, options.test_command, os.environ, isolate=isolate)
    view = DraftView(place.workspace, git, session, shell, os.environ, allowed)
    length = RequestLength(describe_tools(tools.values()), lambda: load_counter(provider.model))
    ground = SessionGround(place.workspace, git, view, log, options.test_command, config, briefing)
    seen = snapshot.finish()
    if earlier is None:
        system, warnings = ground.first(seen, briefing.layer().text)
        conversation = conversation_in(log, length)
        conversation.append(system)
        briefing.watch(seen, view)
        ledger = Ledger()
    else:
        conversation, ledger = go_on_with(earlier.past, length, log, ground.system, command)
        briefing.go_on(seen, view, recall_situation(session))
        warnings = [*describe_change(earlier.past, provider), *reopen_draft(view, session, earlier.past)]
        warnings += [_NOT_PACKED] if options.pack is not None else []
    limits = Limits(settings.max_steps, settings.timeout, settings.max_cost)
    desk = Desk(provider, tools, view, conversation, limits, compactor=Compactor(ground), briefing=briefing)
    bench = Workbench(place, settings, session, desk, provider, log, briefing, lock, ledger)
    bench.warnings = (*settle_journal(place), *warnings, *notes)
    if options.pack is not None and earlier is None:
        bench.packed = describe_pack(briefing.layer(), provider.window, provider.billing)
    return bench


def _begin(place: Place, provider: OpenAIChat, command: str, earlier: Earlier | None) -> tuple[Session, SessionLock]:
    """The session, held by this process, with the start of this run in its log."""
    about = {"version": __version__, "command": command, "model": provider.model, "endpoint": provider.endpoint.name}
    if earlier is None:
        session = create_session(place.state, place.workspace.root, datetime.now(UTC), **about)
        return session, SessionLock(session)
    with SessionLog(earlier.session) as log:
        log.append_start(**about)
    return earlier.session, earlier.lock


def settings_for(model: ModelOptions) -> Settings:
    """The settings with what the command line says of the model and of a turn."""
    return load_settings(
        {
            "endpoint": model.endpoint,
            "base_url": model.base_url,
            "model": model.model,
            "max_steps": model.max_steps,
            "max_cost": model.max_cost,
            "timeout": model.timeout,
            "web_search": model.web_search,
        },
        os.environ,
    )
