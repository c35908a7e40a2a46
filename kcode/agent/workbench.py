"""Everything that one conversation works with, put together once and closed once."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from kcode import __version__
from kcode.agent.accounting import Account, Ledger, account_for
from kcode.agent.briefing import WorkspaceBriefing
from kcode.agent.compaction import Compactor
from kcode.agent.conversation import Conversation
from kcode.agent.costlimit import check_limit
from kcode.agent.ground import SessionGround, first_message
from kcode.agent.length import RequestLength
from kcode.agent.packing import describe_pack
from kcode.agent.secrecy import describe_allowed
from kcode.agent.shell import Shell
from kcode.agent.toolbox import choose_tools, describe_tools
from kcode.agent.turn import Desk, Limits
from kcode.agent.view import DraftView
from kcode.agent.websearch import describe_web_search
from kcode.context.secretfiles import allow_files
from kcode.context.tokenizer import load_counter
from kcode.draft.draft import open_draft
from kcode.draft.files import Proposal
from kcode.errors import SessionError
from kcode.folders import cache_folder_for, config_folder, remove_folder, state_folder_for
from kcode.providers.openai_chat import open_provider
from kcode.providers.sdk import preload
from kcode.safegit import open_git
from kcode.sanitize import sanitize_names
from kcode.session.store import SessionLog, create_session, last_session, prune_sessions
from kcode.settings import load_settings
from kcode.snapshot import start_snapshot
from kcode.workspace import open_workspace

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from types import TracebackType

    from kcode.agent.tally import Tally
    from kcode.draft.pending import Pending
    from kcode.events import Event
    from kcode.options import ModelOptions, PlaceOptions
    from kcode.providers.openai_chat import OpenAIChat
    from kcode.results import TestReport
    from kcode.session.store import Session
    from kcode.settings import Settings
    from kcode.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace and the folders outside it where kcode keeps what belongs to it."""

    workspace: Workspace
    state: Path

    @property
    def key(self) -> str:
        """A folder's name that stands for the workspace's path."""
        return hashlib.sha256(os.fsencode(self.workspace.root)).hexdigest()[:16]

    @property
    def journal(self) -> Path:
        """Where the journal of this workspace is kept."""
        return self.state / "journals" / self.key

    @property
    def git_folder(self) -> Path:
        """Where the private repository lies that stands in for git in a plain folder."""
        return self.state / "git" / self.key


def open_place(options: PlaceOptions) -> Place:
    """Find the workspace and its state folder; WorkspaceError when it is not one to work on."""
    workspace = open_workspace(options.folder, os.environ, allow_anywhere=options.anywhere)
    return Place(workspace, state_folder_for(os.environ, workspace.root))


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
    ) -> None:
        self.place = place
        self.settings = settings
        self.session = session
        self.desk = desk
        self.provider = provider
        self.warnings: tuple[str, ...] = ()
        self.packed: tuple[str, ...] = ()
        """What was packed into the first request at the user's wish, and what that costs."""
        self.ledger = Ledger()
        self._log = log
        self._briefing = briefing

    @property
    def spent(self) -> Tally:
        """What this run took so far, over all its turns."""
        return self.ledger.spent

    def account(self) -> Account:
        """What fills the window now and what it costs, for the screen: estimated where the endpoint has not counted."""
        return account_for(
            self.desk.conversation,
            self.ledger,
            model=self.provider.model,
            window=self.provider.window,
            billing=self.provider.billing,
            tools=describe_tools(self.desk.tools.values()),
        )

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
        self._log.append_event(event)

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
        unfit = self.view.draft.left_out
        if unfit:
            lines.append(f"Not proposed, since it is too large or cannot be read: {sanitize_names(unfit)}.")
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
        await self.view.aclose()
        await self.provider.aclose()
        self._briefing.close()
        self._log.close()
        if self.view.shell and self.view.is_open and not self.view.draft.generation:
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


def open_workbench(model: ModelOptions, options: PlaceOptions, command: str) -> Workbench:
    """Put a new session together; nothing is sent yet.

    The order is for speed: importing the SDK takes longer than all the rest, so git starts to read before it, and
    the sandbox is tried only while the first reply is on its way.
    """
    settings = settings_for(model)
    place = open_place(options)
    git = open_git(place.workspace, place.git_folder)
    snapshot = start_snapshot(git)
    provider = open_provider(settings, os.environ, record=model.record, cassette=model.replay)
    config = config_folder(os.environ)
    cache = cache_folder_for(os.environ, place.workspace.root)
    allowed = allow_files(options.allow_secrets)
    briefing = WorkspaceBriefing(place.workspace, git, config, cache, provider.window, allowed)
    briefing.begin(snapshot.files(), options.pack)
    cost_note = check_limit(settings.max_cost, provider, config / "config.toml")
    if model.replay is None:
        preload()
    session = create_session(
        place.state,
        place.workspace.root,
        datetime.now(UTC),
        version=__version__,
        command=command,
        model=provider.model,
        endpoint=provider.endpoint.name,
    )
    log = SessionLog(session, clean=provider.without_key)
    tools = choose_tools(command, settings, provider.endpoint, config)
    notes = [describe_web_search(provider.endpoint)] if settings.web_search else []
    notes += [describe_allowed(git, allowed)] if options.allow_secrets else []
    seen, layer = snapshot.finish(), briefing.layer()
    system, warnings = first_message(place.workspace, seen, options.test_command, config, layer.text)
    length = RequestLength(describe_tools(tools.values()), lambda: load_counter(provider.model))
    conversation = Conversation(record=log.append_message, length=length, record_epoch=log.append_epoch)
    conversation.append(system)
    shell = None
    if command != "ask":
        folder, outputs, isolate = session.folder, session.outputs_folder, not options.no_sandbox
        shell = Shell(place.workspace, folder, outputs, options.test_command, os.environ, isolate=isolate)
    view = DraftView(place.workspace, git, session, shell, os.environ, allowed)
    briefing.watch(seen, view)
    limits = Limits(settings.max_steps, settings.timeout, settings.max_cost)
    compactor = Compactor(SessionGround(place.workspace, git, view, log, options.test_command, config, briefing))
    desk = Desk(provider, tools, view, conversation, limits, compactor=compactor, briefing=briefing)
    bench = Workbench(place, settings, session, desk, provider, log, briefing)
    bench.warnings = (*settle_journal(place), *warnings, *([cost_note] if cost_note else []), *notes)
    if options.pack is not None:
        bench.packed = describe_pack(layer, provider.window, provider.billing)
    return bench


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
