"""A session as a document: Markdown and HTML for readers, JSON for programs. Pure; keys are taken out of all of them."""

from __future__ import annotations

import html
import json
import re
from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from kcode.events import HunksDecided, TurnRedone, TurnUndone
from kcode.messages import AssistantMessage, SystemMessage, ToolMessage, UserMessage
from kcode.pricing import write_dollars
from kcode.sanitize import sanitize, sanitize_line
from kcode.secrets import redact, remove_key
from kcode.session.records import encode_message, event_record
from kcode.session.story import tell_story

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from kcode.events import Event
    from kcode.messages import Message
    from kcode.session.story import Block, Section
    from kcode.session.summary import SessionSummary

T = TypeVar("T")
VERSION = 1
# Markup that is not meant as such, in what the model thought.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; }
h1 { font-size: 1.5rem; } .about, .fact, summary { color: #5a5a5a; }
pre { background: #f4f4f2; padding: .7rem; overflow-x: auto; font-size: .85rem; } p { white-space: pre-wrap; }
.user { border-left: 4px solid #2456a5; padding-left: 1rem; } .reasoning p { color: #5a5a5a; }
.add { color: #176b2c; } .del { color: #a3211f; }
@media (prefers-color-scheme: dark) { body { background: #17181a; color: #e4e4e2; } pre { background: #232427; }
  .about, .fact, summary, .reasoning p { color: #a0a0a0; } .add { color: #6fcf87; } .del { color: #ff8a80; } }
""".strip()


def write_markdown(
    summary: SessionSummary, history: Sequence[Message | Event], patch: str = "", keys: Collection[str] = ()
) -> str:
    """The session for readers; `patch` is what it still proposes, `keys` are those that are in use."""
    summary, history, patch = _cleaned((summary, history, patch), keys)
    parts = [f"# {_plain(sanitize_line(summary.title))}", "\n".join(f"- {line}" for line in _about(summary))]
    parts += [_markdown(section) for section in tell_story(history)]
    if patch:
        parts += ["## What is proposed and not applied", _fenced(_shown(patch), "diff")]
    return "\n\n".join(parts) + "\n"


def write_html(
    summary: SessionSummary, history: Sequence[Message | Event], patch: str = "", keys: Collection[str] = ()
) -> str:
    """The same as one page that loads nothing and runs nothing."""
    summary, history, patch = _cleaned((summary, history, patch), keys)
    title = html.escape(sanitize_line(summary.title))
    about = "<br>\n".join(html.escape(line) for line in _about(summary))
    body = [f'<h1>{title}</h1>\n<p class="about">{about}</p>', *map(_html, tell_story(history))]
    if patch:
        body += ["<h2>What is proposed and not applied</h2>", _pre(_shown(patch), "diff")]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    head = (
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width">\n<title>{title}</title>\n<style>\n{_STYLE}\n</style>'
    )
    lines = ['<!doctype html>\n<html lang="en">', f"<head>\n{head}\n</head>", "<body>", *body, "</body>", "</html>"]
    return "\n".join(lines) + "\n"


def write_json(
    summary: SessionSummary, history: Sequence[Message | Event], patch: str = "", keys: Collection[str] = ()
) -> str:
    """All of it for programs: every message, the system's too, and each event as the log has it."""
    summary, history, patch = _cleaned((summary, history, patch), keys)
    about = {
        "version": VERSION,
        "session": summary.id,
        "title": summary.title,
        "started": summary.started.isoformat(),
        "last_used": summary.last_used.isoformat(),
        "model": summary.model,
        "endpoint": summary.endpoint,
        "cost_usd": summary.cost,
        "cost_is_estimate": summary.cost_is_estimate,
        "items": [item for entry in history if (item := _item(entry)) is not None],
        "proposal": patch,
    }
    return json.dumps(about, indent=2) + "\n"


def _item(entry: Message | Event) -> dict[str, Any] | None:
    match entry:
        case SystemMessage() | UserMessage() | AssistantMessage() | ToolMessage():
            return {"type": "message"} | encode_message(entry)
        case HunksDecided(decision, paths, hunks):
            return {"type": "decision", "decision": decision, "paths": list(paths), "hunks": list(hunks)}
        case TurnUndone(words, applied):
            return {"type": "turn_undone", "words": words, "applied": list(applied)}
        case TurnRedone(words):
            return {"type": "turn_redone", "words": words}
        case _:
            return event_record(entry)


def _about(summary: SessionSummary) -> list[str]:
    model = f"{summary.model or 'unknown model'} at {summary.endpoint or 'an unknown endpoint'}"
    about = "≈ " if summary.cost_is_estimate else ""
    cost = (
        "price unknown" if summary.cost is None else f"{about}{write_dollars(summary.cost)}" if summary.cost else "free"
    )
    turns = f"{summary.turns} {'turn' if summary.turns == 1 else 'turns'}"
    times = f"{summary.started:%Y-%m-%d %H:%M} to {summary.last_used:%Y-%m-%d %H:%M}"
    return [f"session {summary.id}", sanitize_line(model), times, f"{turns}, {cost}"]


def _markdown(section: Section) -> str:
    title = sanitize_line(section.title)
    body = "\n\n".join(_markdown_block(block, quoted=section.folded) for block in section.blocks)
    if section.folded:
        return f"<details>\n<summary>{html.escape(title)}</summary>\n\n{body}\n\n</details>"
    if section.kind in {"user", "answer"}:
        return f"## {_plain(title)}\n\n{body}"
    return f"*{_plain(title)}*" + (f"\n\n{body}" if body else "")


def _markdown_block(block: Block, *, quoted: bool) -> str:
    text = _shown(block.text)
    if block.language is not None:
        return _fenced(text, block.language)
    if quoted:
        return "\n".join(f"> {line}".rstrip() for line in _TAG.sub(r"\\<", text).split("\n"))
    return _closed(text)


def _fenced(text: str, language: str) -> str:
    longest = max((len(found) for found in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    body = text.rstrip("\n")
    return f"{fence}{language}\n{body}\n{fence}"


def _closed(text: str) -> str:
    """Prose in which every fence is closed: what follows is no part of it."""
    open_fence = ""
    for found in _FENCE.findall(text):
        if not open_fence:
            open_fence = found
        elif found[0] == open_fence[0] and len(found) >= len(open_fence):
            open_fence = ""
    return f"{text}\n{open_fence}" if open_fence else text


def _plain(line: str) -> str:
    """A line in which nothing is markup."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", line)


def _html(section: Section) -> str:
    title = html.escape(sanitize_line(section.title))
    body = "\n".join(part for block in section.blocks for part in _html_block(block))
    if section.folded:
        return f'<details class="{section.kind}"><summary>{title}</summary>\n{body}\n</details>'
    if section.kind in {"user", "answer"}:
        return f'<section class="{section.kind}"><h2>{title}</h2>\n{body}\n</section>'
    return f'<p class="fact">{title}</p>' + (f"\n{body}" if body else "")


def _html_block(block: Block) -> Iterator[str]:
    text = _shown(block.text)
    if block.language is not None:
        yield _pre(text, block.language)
        return
    lines: list[str] = []
    fence = ""
    for line in [*text.split("\n"), None]:
        found = _FENCE.match(line) if line is not None else None
        if line is None or (found and (not fence or found[0].startswith(fence))):
            if kept := "\n".join(lines).strip("\n"):
                yield _pre(kept) if fence else f"<p>{html.escape(kept)}</p>"
            lines, fence = [], "" if fence or found is None else found[0]
        else:
            lines.append(line)


def _pre(text: str, language: str = "") -> str:
    if language != "diff":
        return f"<pre>{html.escape(text)}</pre>"
    lines = map(_diff_line, text.rstrip("\n").split("\n"))
    return "<pre>" + "\n".join(lines) + "</pre>"


def _diff_line(line: str) -> str:
    kind = {"+": "add", "-": "del"}.get(line[:1])
    shown = html.escape(line)
    return f'<span class="{kind}">{shown}</span>' if kind else shown


def _shown(text: str) -> str:
    return sanitize(text)


def _cleaned(value: T, keys: Collection[str]) -> T:
    """The value with the keys taken out of every text in it; what was one object in it is one again."""
    known: dict[int, Any] = {}

    def clean(inner: Any) -> Any:
        if isinstance(inner, str):
            for key in keys:
                inner = remove_key(inner, key)
            return redact(inner)
        if isinstance(inner, tuple | list):
            return tuple(map(clean, inner))
        if not is_dataclass(inner) or isinstance(inner, type):
            return inner
        if id(inner) not in known:
            changed = {member.name: clean(getattr(inner, member.name)) for member in fields(inner)}
            known[id(inner)] = replace(inner, **changed)
        return known[id(inner)]

    found: T = clean(value)
    return found
