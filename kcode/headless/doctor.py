"""`kcode doctor`: how kcode stands on this machine and in this folder, and why."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING

from kcode import __version__
from kcode.agent.secrecy import find_secret_files
from kcode.agent.workbench import open_place
from kcode.context.search import find_ripgrep
from kcode.errors import KcodeError
from kcode.folders import make_folder
from kcode.headless.interrupts import run_until_signal
from kcode.headless.jsonlines import write_line
from kcode.headless.probe import print_finding, probe_endpoint
from kcode.headless.terminal import YELLOW, Terminal
from kcode.providers.choice import profile_for, resolve_endpoint, resolve_model
from kcode.providers.keys import locate_key, missing_key
from kcode.safegit import head_summary, open_git
from kcode.sandbox import find_sandbox
from kcode.sanitize import sanitize_names
from kcode.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kcode.options import ModelOptions, PlaceOptions

Finding = tuple[str, str, str]


def examine(model: ModelOptions, place: PlaceOptions, *, probe: bool, json: bool) -> int:
    """Print one line a finding on stdout; 0 when kcode can work here, else 1.

    Raises ProviderError where the endpoint fails while it is probed.
    """
    terminal = Terminal(os.environ)
    bad: set[str] = set()
    for level, name, text in _findings(model, place):
        if level == "bad":
            bad.add(name)
        if json:
            write_line("finding", level=level, name=name, text=text)
        else:
            print_finding(terminal, level, name, text)
    if probe and not bad & {"endpoint", "key"}:
        if not probe_endpoint(model, terminal, json=json):
            bad.add("probe")
    elif probe:
        terminal.say("The endpoint was not probed: see above.", YELLOW)
    if json:
        write_line("doctor.completed", exit_code=int(bool(bad)))
    return int(bool(bad))


def _findings(model: ModelOptions, place: PlaceOptions) -> Iterator[Finding]:
    yield "ok", "kcode", f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}"
    yield from _of("workspace", lambda: _workspace(place))
    yield from _of("draft", lambda: _sandbox(place))
    yield from _of("search", lambda: _search(place))
    yield from _of("endpoint", lambda: _endpoint(model))


def _of(name: str, examine_one: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return examine_one()
    except KcodeError as error:
        return [("bad", name, str(error))]


def _workspace(place: PlaceOptions) -> list[Finding]:
    spot = open_place(place)
    where = f"{spot.workspace.root}, {head_summary(spot.workspace) if spot.workspace.git_dir else 'a plain folder'}"
    git = open_git(spot.workspace, spot.git_folder)
    version = git.run("--version").decode().strip()
    found = [("ok", "git", version), ("ok", "workspace", where), ("ok", "state", str(spot.state))]
    if secret := find_secret_files(git):
        kept = f"kept from the model, since they look as if they held passwords or keys: {sanitize_names(secret)}"
        found.append(("ok", "secrets", kept))
    return found


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
    window = profile_for(endpoint, name, settings.window).window
    found = [("ok", "endpoint", f"{endpoint.title}, {endpoint.base_url}, {name}, window {window:,} tokens")]
    key = locate_key(endpoint, settings, os.environ)
    if key is not None:
        found.append(("ok", "key", f"from {key.source} {key.hint}".rstrip()))
    elif endpoint.is_loopback:
        found.append(("ok", "key", "none, as an endpoint on this machine mostly needs none"))
    else:
        found.append(("bad", "key", missing_key(endpoint)))
    return found
