"""`kcode doctor`: how kcode stands on this machine and in this folder, and why."""

from __future__ import annotations

import os
import platform
import sys
from typing import TYPE_CHECKING

from kcode import __version__
from kcode.agent.workbench import open_place
from kcode.context.search import find_ripgrep
from kcode.errors import KcodeError
from kcode.folders import make_folder
from kcode.headless.interrupts import run_until_signal
from kcode.headless.terminal import GREEN, RED, YELLOW, Terminal
from kcode.providers.choice import resolve_endpoint, resolve_model
from kcode.providers.keys import find_key
from kcode.providers.openai_chat import open_provider
from kcode.safegit import head_summary, open_git
from kcode.sandbox import find_sandbox
from kcode.sanitize import sanitize
from kcode.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from kcode.options import ModelOptions, PlaceOptions
    from kcode.providers.openai_chat import OpenAIChat

MARKS = {"ok": ("✓", GREEN), "weak": ("!", YELLOW), "bad": ("✗", RED)}


def examine(model: ModelOptions, place: PlaceOptions, *, probe: bool) -> int:
    """Print one line a finding on stdout; 0 when kcode can work here, else 1."""
    findings = [
        ("ok", "kcode", f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}"),
        *_of("workspace", lambda: _workspace(place)),
        *_of("draft", lambda: _sandbox(place)),
        *_of("search", lambda: _search(place)),
        *_of("endpoint", lambda: _endpoint(model)),
    ]
    if probe:
        findings += _of("models", lambda: _models(model))
    terminal = Terminal(os.environ)
    for level, name, text in findings:
        mark, code = MARKS[level]
        shown = sanitize(text).replace("\n", "\n" + " " * 13)
        sys.stdout.write(f"{terminal.style(mark, code, sys.stdout)} {name:<10} {shown}\n")
    sys.stdout.flush()
    return int(any(level == "bad" for level, _, _ in findings))


Finding = tuple[str, str, str]


def _of(name: str, examine_one: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return examine_one()
    except KcodeError as error:
        return [("bad", name, str(error))]


def _workspace(place: PlaceOptions) -> list[Finding]:
    spot = open_place(place)
    where = f"{spot.workspace.root}, {head_summary(spot.workspace) if spot.workspace.git_dir else 'a plain folder'}"
    git = open_git(spot.workspace, spot.git_folder).run("--version").decode().strip()
    return [("ok", "git", git), ("ok", "workspace", where), ("ok", "state", str(spot.state))]


def _sandbox(place: PlaceOptions) -> list[Finding]:
    spot = open_place(place)
    sandbox = run_until_signal(find_sandbox(make_folder(spot.state / "probe"), spot.workspace.root, os.environ))
    level = "ok" if sandbox.overlay else "weak" if sandbox.isolated else "bad"
    backend = "overlay" if sandbox.overlay else "copy"
    return [(level, "draft", f"{backend} backend, commands run by {sandbox.name}")] + [
        ("weak", "", reason) for reason in sandbox.reasons
    ]


def _search(place: PlaceOptions) -> list[Finding]:
    found = find_ripgrep(os.environ, open_place(place).workspace.root)
    return (
        [("ok", "search", found)]
        if found
        else [("weak", "search", "ripgrep is not to be had; a slower search in Python takes its place")]
    )


def _endpoint(model: ModelOptions) -> list[Finding]:
    settings = load_settings({"endpoint": model.endpoint, "base_url": model.base_url, "model": model.model}, os.environ)
    endpoint = resolve_endpoint(settings, os.environ)
    name = resolve_model(endpoint, settings)
    find_key(endpoint, settings, os.environ)
    return [("ok", "endpoint", f"{endpoint.title}, {endpoint.base_url}, {name}, window {endpoint.window:,} tokens")]


def _models(model: ModelOptions) -> list[Finding]:
    settings = load_settings({"endpoint": model.endpoint, "base_url": model.base_url, "model": model.model}, os.environ)
    provider = open_provider(settings, os.environ)
    names = run_until_signal(_ask_models(provider))
    wanted = provider.model
    level = "ok" if wanted in names else "bad"
    return [
        (
            level,
            "models",
            f"{', '.join(names) or 'none'}" + ("" if wanted in names else f"; {wanted} is not among them"),
        )
    ]


async def _ask_models(provider: OpenAIChat) -> list[str]:
    try:
        return [model.id for model in await provider.list_models()]
    finally:
        await provider.aclose()
