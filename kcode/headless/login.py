"""`kcode login` and `kcode logout`: a key asked for or piped in, checked, and stored where only its owner reads it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from kcode.errors import ProviderError, RefusedError, UsageError
from kcode.headless.interrupts import run_until_signal
from kcode.headless.stdin import is_given, read_piped_bytes
from kcode.headless.terminal import DIM, GREEN, YELLOW, Terminal
from kcode.providers.choice import resolve_endpoint
from kcode.providers.credentials import forget_key
from kcode.providers.keycheck import check_key
from kcode.providers.keys import check_form, login_command
from kcode.providers.logins import EVERYWHERE, HeldKey, Logins, held_in_file, held_key
from kcode.results import Failure
from kcode.sanitize import sanitize
from kcode.secrets import redact
from kcode.settings import load_settings

if TYPE_CHECKING:
    from kcode.options import ModelOptions
    from kcode.providers.endpoints import Endpoint

_LONGEST_NAME = 40


def log_in(model: ModelOptions, *, check: bool) -> int:
    """Take a key for the endpoint, check it and store it; 0 once it is stored."""
    terminal = Terminal(os.environ)
    logins = Logins()
    logins.stored()  # a file that cannot take the key is told before the key is asked for
    endpoint = _named(model) or _chosen(logins, terminal)
    key = _piped_key() or _typed_key(endpoint, terminal)
    check_form(key, endpoint)
    if check:
        terminal.say(f"Trying it at {endpoint.host} …", DIM)
        _check(endpoint, key, model.model, terminal)
    place = logins.store(endpoint, key)
    terminal.say(f"✓ The key for {endpoint.title} is stored {place}.", GREEN)
    _tell_what_is_used(logins, endpoint, terminal)
    return 0


def log_out(model: ModelOptions) -> int:
    """Take the stored key of the endpoint away."""
    terminal = Terminal(os.environ)
    endpoint = _named(model)
    if endpoint is None:
        raise UsageError("Log out of which endpoint? Name it: kcode logout NAME. kcode login --list shows them.")
    if not forget_key(Logins().credentials, endpoint.key_name):
        raise UsageError(f"No key is stored for {endpoint.title} ({endpoint.host}). kcode login --list shows what is.")
    terminal.say(f"✓ The key for {endpoint.title} is no longer stored.", GREEN)
    for variable in (*endpoint.key_variables, EVERYWHERE):
        if os.environ.get(variable, "").strip():
            terminal.say(f"! {variable} is still set in the environment.", YELLOW)
    return 0


def list_logins() -> int:
    """Print each endpoint and where its key comes from, on stdout."""
    logins = Logins()
    stored, rows = logins.stored(), logins.endpoints()
    wide = max(map(len, [*(row.name for row in rows), *stored]))
    for row in rows:
        sys.stdout.write(f"{row.name:<{wide}}  {_held(row, stored)}\n")
    for name in sorted(stored.keys() - {row.name for row in rows}):
        sys.stdout.write(f"{sanitize(name):<{wide}}  {_in_words(held_in_file(stored[name]))}\n")
    if os.environ.get(EVERYWHERE, "").strip():
        sys.stdout.write(f"{EVERYWHERE} is set in the environment and comes before all of these.\n")
    return 0


def _named(model: ModelOptions) -> Endpoint | None:
    if model.endpoint is None and model.base_url is None:
        return None
    if model.endpoint and (redact(model.endpoint) != model.endpoint or len(model.endpoint) > _LONGEST_NAME):
        raise UsageError(
            "That looks like a key, and now your shell's history holds it: make a new one. kcode login NAME asks for the "
            "key without showing it; a script pipes it in: kcode login NAME < FILE"
        )
    flags = {"endpoint": model.endpoint, "base_url": model.base_url}
    return resolve_endpoint(load_settings(flags, os.environ), os.environ)


def _chosen(logins: Logins, terminal: Terminal) -> Endpoint:
    """The endpoint that the person at the terminal picks; Enter takes the one in use."""
    stored, current, rows = logins.stored(), logins.current(), logins.endpoints()
    if not current.keeps_its_host:
        rows.append(current)
    if not sys.stderr.isatty():
        raise UsageError(f"Log in to which endpoint? kcode login NAME, with {', '.join(row.name for row in rows)}.")
    for number, row in enumerate(rows, 1):
        name = row.name if row.keeps_its_host else row.base_url
        terminal.say(f"{number:>3}  {name:<14} {row.title:<18} {_held(row, stored)}")
    terminal.say("Another URL: kcode login --base-url URL", DIM)
    while True:
        answer = _ask(terminal, f"Which one? [Enter: {current.name}] ")
        if answer is None:
            raise RefusedError("No endpoint was chosen. Name it: kcode login NAME.")
        if not answer:
            return current
        for number, row in enumerate(rows, 1):
            if answer in {str(number), row.name}:
                return row
        terminal.say(f"It is a number from 1 to {len(rows)}, or a name.", YELLOW)


def _held(row: Endpoint, stored: dict[str, str]) -> str:
    return _in_words(held_key(row, stored, os.environ))


def _in_words(held: HeldKey) -> str:
    match held.place:
        case "variable":
            return f"{held.variable} {held.hint}".rstrip()
        case "file":
            return f"stored {held.hint}".rstrip()
        case "keyring":
            return "keyring"
        case "not needed":
            return "needs none"
        case "nowhere":
            return "no key"


def _piped_key() -> str | None:
    """The key that stands in the file or pipe that stdin is; None at a terminal and where nothing comes."""
    data = read_piped_bytes(wait=True) if is_given() else None
    text = (data or b"").decode("utf-8", "replace").strip()
    return text or None


def _typed_key(endpoint: Endpoint, terminal: Terminal) -> str:
    if endpoint.key_page and endpoint.keeps_its_host:
        terminal.say(f"Get a key at {endpoint.key_page}.")
    key = _ask(terminal, f"Key for {endpoint.title} ({endpoint.host}), not shown: ", hidden=True)
    if not key:
        raise RefusedError(f"No key was given. Type it at a terminal, or pipe it in: {login_command(endpoint)} < FILE")
    return key


def _ask(terminal: Terminal, question: str, *, hidden: bool = False) -> str | None:
    """A line that the person types; None when nobody can be asked. In a loop, where a signal is never kept waiting."""
    if not sys.stderr.isatty():
        return None
    return run_until_signal(terminal.wait_for_line(question, hidden=hidden))


def _check(endpoint: Endpoint, key: str, model: str | None, terminal: Terminal) -> None:
    """Return when the key may be stored; a refused one never is, and what is not known the person decides."""
    found = run_until_signal(check_key(endpoint, key, model))
    if found.accepted:
        terminal.say(f"✓ It works: {found.text}")
        return
    if found.accepted is False:
        raise ProviderError(Failure("key", f"{found.text}\nIt was not stored; --no-check would store it all the same."))
    terminal.say(f"! The key could not be tried. {found.text}", YELLOW)
    answer = terminal.ask("Store it all the same?", "yn")
    if answer is None:
        raise RefusedError("The key was not stored, since it could not be tried. To store it untried: --no-check.")
    if answer != "y":
        raise RefusedError("The key was not stored.")


def _tell_what_is_used(logins: Logins, endpoint: Endpoint, terminal: Terminal) -> None:
    """A key alone does not choose the endpoint where another has one too."""
    if variable := logins.variable_before(endpoint):
        terminal.say(f"! {variable} is set in the environment and comes before it.", YELLOW)
    used = logins.current()
    if used.base_url == endpoint.base_url:
        terminal.say("kcode uses this endpoint now.", DIM)
        return
    flag = f"--endpoint {endpoint.name}" if endpoint.keeps_its_host else f"--base-url {endpoint.base_url} --model ID"
    terminal.say(f"To use it: {flag}, or set it in config.toml. Without that kcode uses {used.title}.", DIM)
