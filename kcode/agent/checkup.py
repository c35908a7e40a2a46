"""How kcode stands on this machine and in this folder: what is there, what is missing, and why."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Literal, NamedTuple

from kcode import __version__
from kcode.agent.place import open_place
from kcode.agent.secrecy import find_secret_files
from kcode.context.search import find_ripgrep
from kcode.errors import KcodeError
from kcode.folders import make_folder
from kcode.providers.choice import profile_for, resolve_endpoint, resolve_model
from kcode.providers.keys import locate_key, missing_key
from kcode.safegit import head_summary, open_git
from kcode.sandbox import find_sandbox
from kcode.sanitize import sanitize_names
from kcode.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from kcode.options import ModelOptions, PlaceOptions


class Finding(NamedTuple):
    """`level` is bad where kcode cannot work because of it; a finding without a name goes on about the one before."""

    level: Literal["ok", "weak", "bad"]
    name: str
    text: str


async def examine_place(model: ModelOptions, place: PlaceOptions) -> AsyncGenerator[Finding, None]:
    """Find out one thing after the other, each as soon as it is known."""
    system = f"{platform.system()} {platform.release()}"
    yield Finding("ok", "kcode", f"{__version__}, Python {platform.python_version()}, {system}")
    for found in _of("workspace", lambda: _workspace(place)):
        yield found
    try:
        sandbox = await _sandbox(place)
    except KcodeError as error:
        sandbox = [Finding("bad", "draft", str(error))]
    for found in (*sandbox, *_of("search", lambda: _search(place)), *_of("endpoint", lambda: _endpoint(model))):
        yield found


def _of(name: str, examine_one: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return examine_one()
    except KcodeError as error:
        return [Finding("bad", name, str(error))]


def _workspace(place: PlaceOptions) -> list[Finding]:
    spot = open_place(place)
    where = f"{spot.workspace.root}, {head_summary(spot.workspace) if spot.workspace.git_dir else 'a plain folder'}"
    git = open_git(spot.workspace, spot.git_folder)
    version = git.run("--version").decode().strip()
    found = [
        Finding("ok", "git", version),
        Finding("ok", "workspace", where),
        Finding("ok", "state", str(spot.state)),
    ]
    if secret := find_secret_files(git):
        kept = f"kept from the model, since they look as if they held passwords or keys: {sanitize_names(secret)}"
        found.append(Finding("ok", "secrets", kept))
    return found


async def _sandbox(place: PlaceOptions) -> list[Finding]:
    spot = open_place(place)
    sandbox = await find_sandbox(make_folder(spot.state / "probe"), spot.workspace.root, os.environ)
    backend = "overlay" if sandbox.overlay else "copy"
    in_force = f"{backend} backend, commands run by {sandbox.name}"
    first = Finding("ok" if sandbox.overlay else "weak" if sandbox.isolated else "bad", "draft", in_force)
    return [first, *(Finding("weak", "", reason) for reason in sandbox.reasons)]


def _search(place: PlaceOptions) -> list[Finding]:
    found = find_ripgrep(os.environ, open_place(place).workspace.root)
    slower = "ripgrep is not to be had; a slower search in Python takes its place"
    return [Finding("ok", "search", found) if found else Finding("weak", "search", slower)]


def _endpoint(model: ModelOptions) -> list[Finding]:
    settings = load_settings({"endpoint": model.endpoint, "base_url": model.base_url, "model": model.model}, os.environ)
    endpoint = resolve_endpoint(settings, os.environ)
    name = resolve_model(endpoint, settings)
    window = profile_for(endpoint, name, settings.window).window
    found = [Finding("ok", "endpoint", f"{endpoint.title}, {endpoint.base_url}, {name}, window {window:,} tokens")]
    key = locate_key(endpoint, settings, os.environ)
    if key is not None:
        found.append(Finding("ok", "key", f"from {key.source} {key.hint}".rstrip()))
    elif endpoint.is_loopback:
        found.append(Finding("ok", "key", "none, as an endpoint on this machine mostly needs none"))
    else:
        found.append(Finding("bad", "key", missing_key(endpoint)))
    return found
