"""`kcode context`: what the next request of the last session here would hold, in tokens and money."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from kcode.agent.accounting import Account, Ledger, account_for, replay
from kcode.agent.briefing import WorkspaceBriefing
from kcode.agent.conversation import Conversation
from kcode.agent.ground import first_message
from kcode.agent.length import RequestLength
from kcode.agent.place import open_place
from kcode.agent.toolbox import choose_tools, describe_tools
from kcode.agent.workbench import settings_for
from kcode.context.tokenizer import load_counter
from kcode.folders import cache_folder_for, config_folder
from kcode.headless.jsonlines import usage_fields, write_line
from kcode.messages import KCODE_NOTE, UserMessage
from kcode.pricing import write_dollars
from kcode.providers.choice import known_endpoints, resolve_endpoint, resolve_model
from kcode.providers.openai_chat import connect, open_memory
from kcode.safegit import open_git
from kcode.sanitize import sanitize_line
from kcode.session.store import Past, last_session, load_past
from kcode.snapshot import start_snapshot

if TYPE_CHECKING:
    from kcode.agent.place import Place
    from kcode.messages import Message
    from kcode.options import ModelOptions, PlaceOptions
    from kcode.providers.endpoints import Endpoint
    from kcode.providers.openai_chat import OpenAIChat
    from kcode.session.store import Session
    from kcode.settings import Settings

_NAME_WIDTH, _COUNT_WIDTH = 16, 10


@dataclass(frozen=True, slots=True)
class _Subject:
    """Whose account it is: the last session's, or a new one's where there is none."""

    session: Session | None
    past: Past | None
    provider: OpenAIChat


def show_context(model: ModelOptions, options: PlaceOptions, *, json: bool) -> int:
    """Print the account of the last session here, or of a first request, on stdout. Nothing is sent.

    With files to be packed it is always that of a first request.
    """
    settings, place = settings_for(model), open_place(options)
    wanted = options.pack is None
    session = last_session(place.state, place.workspace.root, with_draft=False) if wanted else None
    past = load_past(session) if session else None
    subject = _Subject(session, past, _provider_of(settings, past))
    account = _account(place, settings, subject, options)
    if json:
        _write_json(account, subject)
    else:
        whose = f"Session {session.id}: its next request" if session else "The first request of a new session"
        sys.stdout.write("\n".join(describe_account(account, whose, subject.provider.endpoint.title)) + "\n")
        sys.stdout.flush()
    return 0


def _provider_of(settings: Settings, past: Past | None) -> OpenAIChat:
    """The model that would be asked next: what the user names now, else that of the session. It is not asked."""
    endpoint = _endpoint_of(settings, past)
    if past and past.model and past.endpoint == endpoint.name and settings.model is None:
        settings = replace(settings, model=past.model)
    memory = open_memory(endpoint, settings, os.environ)
    return connect(endpoint, resolve_model(endpoint, settings), None, window=settings.window, memory=memory)


def _endpoint_of(settings: Settings, past: Past | None) -> Endpoint:
    if past and past.endpoint and not (settings.endpoint or settings.base_url):
        row = known_endpoints(settings).get(past.endpoint)
        if row is not None:
            # A session does not keep the URL of a custom endpoint; its sizes are known all the same.
            return resolve_endpoint(replace(settings, endpoint=row.name), os.environ) if row.base_url else row
    return resolve_endpoint(settings, os.environ)


def _account(place: Place, settings: Settings, subject: _Subject, options: PlaceOptions) -> Account:
    provider, past = subject.provider, subject.past
    config = config_folder(os.environ)
    tools = describe_tools(choose_tools(past.command if past else "fix", settings, provider.endpoint, config).values())
    count = load_counter(provider.model)
    if past:
        conversation, ledger = replay(past, tools, lambda: count)
    else:
        messages = _first_messages(place, options, provider.window)
        conversation, ledger = Conversation(messages, length=RequestLength(tools, lambda: count)), Ledger()
    return account_for(
        conversation,
        ledger,
        model=provider.model,
        window=provider.window,
        billing=provider.billing,
        tools=tools,
        count=count,
    )


def _first_messages(place: Place, options: PlaceOptions, window: int) -> list[Message]:
    """What a session would begin with before the user has said anything."""
    config = config_folder(os.environ)
    git = open_git(place.workspace, place.git_folder)
    snapshot = start_snapshot(git)
    cache = cache_folder_for(os.environ, place.workspace.root)
    briefing = WorkspaceBriefing(place.workspace, git, config, cache, window)
    try:
        briefing.begin(snapshot.files(), options.pack)
        system, _ = first_message(
            place.workspace, snapshot.finish(), options.test_command, config, briefing.layer().text
        )
        note = briefing.find_note("")
    finally:
        briefing.close()
    return [system, *([UserMessage(f"{KCODE_NOTE} {note}")] if note else [])]


def describe_account(account: Account, whose: str, place: str) -> list[str]:
    """The account for people, in at most 80 columns; ~ stands before what is estimated. `place` serves the model."""
    lines = [f"{whose}, in tokens (~ estimated)", ""]
    filled = [layer for layer in account.layers if layer.tokens]
    lines += [_row(layer.name, layer.tokens, account.window, is_exact=layer.is_exact) for layer in filled]
    lines.append(_row("in all", account.tokens, account.window, is_exact=account.is_exact) + f" of {account.window:,}")
    lines += ["", f"model       {sanitize_line(account.model)} at {place}"[:80]]
    if account.last:
        last = account.last
        told = f"{last.prompt_tokens:,} in ({_share(last.cached_tokens, last.prompt_tokens)} cached)"
        lines.append(f"last call   {told}, {last.completion_tokens:,} out")
    if account.spent.steps:
        cost = account.spent.usage.cost
        about = "≈ " if account.spent.usage.cost_is_estimate else ""
        paid = "price unknown" if cost is None else f"{about}{write_dollars(cost)}" if cost else "free"
        often = f", {_counted(account.compactions, 'compaction', 'compactions')}" if account.compactions else ""
        lines.append(f"so far      {_counted(account.spent.steps, 'reply', 'replies')}{often}, {paid}")
    lines.append(f"next call   {_next_call(account)}")
    lines += [
        f"compacted   from {account.soft:,} on when a turn begins ({_distance(account.soft, account)})",
        f"            from {account.hard:,} on at any time ({_distance(account.hard, account)})",
    ]
    return lines


def _row(name: str, tokens: int, window: int, *, is_exact: bool) -> str:
    count = f"{'' if is_exact else '~'}{tokens:,}"
    return f"  {name:<{_NAME_WIDTH}}{count:>{_COUNT_WIDTH}} {_share(tokens, window):>5}"


def _share(part: int, whole: int) -> str:
    return "<1%" if 0 < part * 100 < whole else f"{part / max(whole, 1):.0%}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _next_call(account: Account) -> str:
    ahead = account.next
    about = "price unknown" if ahead.cost is None else f"about {write_dollars(ahead.cost)} before any answer"
    cached = f"{ahead.cached:,} probably cached, {ahead.fresh:,} new" if ahead.cached else f"{ahead.fresh:,} new"
    return f"{cached}: {about}"


def _distance(trigger: int, account: Account) -> str:
    left = trigger - account.tokens
    return f"{left:,} more" if left > 0 else "reached"


def _write_json(account: Account, subject: _Subject) -> None:
    write_line(
        "context",
        session=subject.session.id if subject.session else None,
        model=account.model,
        endpoint=subject.provider.endpoint.name,
        window=account.window,
        room=account.room,
        layers=[asdict(layer) for layer in account.layers],
        tokens=account.tokens,
        is_exact=account.is_exact,
        last_call=usage_fields(account.last) if account.last else None,
        replies=account.spent.steps,
        compactions=account.compactions,
        spent=usage_fields(account.spent.usage),
        next_call={
            "cached_input_tokens": account.next.cached,
            "fresh_input_tokens": account.next.fresh,
            "input_cost_usd": account.next.cost,
        },
        triggers={"turn": account.soft, "any": account.hard},
    )
