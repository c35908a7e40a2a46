"""Which files look as if they held passwords or keys; their text is never sent to a model."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.errors import UsageError
from kcode.globs import compile_glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

_NAMES = re.compile(
    r"\.env(\..+)?|.+\.env|\.envrc|\.netrc|_netrc|\.npmrc|\.yarnrc\.yml|\.pypirc|\.pgpass|\.my\.cnf|\.git-credentials|\.htpasswd"
    r"|\.dockercfg|\.s3cfg|\.boto|\.vault[-_]?(token|pass|password)|vault[-_]pass(word)?(\.txt)?|id_(rsa|dsa|ecdsa|ed25519)(_.+)?"
    r"|credentials?(\.(json|ya?ml|toml|ini|xml|csv|txt|db))?|client_secrets?.*\.json|service[-_]account.*\.json"
    r"|secrets?(\.[\w-]+)?\.(ya?ml|json|toml|ini|env|txt)|.+\.tfvars(\.json)?|.+\.tfstate(\.backup)?"
    r"|.+\.(pem|key|p12|pfx|keystore|jks|kdbx|ppk|asc|gpg|ovpn)",
    re.IGNORECASE,
)
# What shows how such a file is written, and the half of a key that is for everyone.
_HARMLESS = re.compile(
    r".*\.(example|sample|template|tmpl|dist|defaults|schema)|(example|sample|template)\.env|.+\.pub|.+\.(pub|public)\.(pem|key|asc)",
    re.IGNORECASE,
)
_FOLDERS = frozenset({".aws", ".ssh", ".gnupg", ".kube", ".docker"})
_IN_FOLDERS = frozenset({"config", "config.json", "credentials", "cache", "authorized_keys", "known_hosts"})
# These hold settings as well, and mostly nothing else: only one with a secret in it is kept back.
_MIXED = re.compile(r"\.npmrc|\.yarnrc\.yml|\.pypirc|\.envrc", re.IGNORECASE)
_SECRET_SETTING = re.compile(
    rb"(?i)(_auth|_authToken|_password|password|token|npmAuth\w*|secret|key)[\"']?\s*[=:]\s*\S"
)
_PRIVATE_KEY = re.compile(
    rb"^-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----\r?$[\s\S]{0,4000}^-----END ", re.MULTILINE
)
_LOOKED_AT = 1 << 16
_SETTING = re.compile(
    rb"""^[ \t]*(?:export[ \t]+)?["']?(?P<name>[\w.-]{1,80})["']?[ \t]*[=:][ \t]*(?P<value>[^\s].{0,1000}?)[ \t]*,?\r?$""",
    re.MULTILINE,
)
_SECRET_NAME = re.compile(rb"pass|secret|token|key|auth|cred|private|dsn|salt", re.IGNORECASE)
_SHORTEST_KEY_LINE = 32
KEPT_BACK = "[kept back by kcode]"
# Shorter ones, such as an empty file or `x=1`, may well be equal to something else.
_SHORTEST_COPIED = 8


@dataclass(frozen=True, slots=True)
class Allowed:
    """Files that the user lets the model see in this run, whatever they hold; `path in allowed` tells of one."""

    patterns: tuple[re.Pattern[str], ...] = ()

    def __contains__(self, path: str) -> bool:
        return any(pattern.fullmatch(path) for pattern in self.patterns)


NONE_ALLOWED = Allowed()


def allow_files(globs: Iterable[str]) -> Allowed:
    """What the user's patterns name. Raises UsageError for one that cannot be read."""
    try:
        return Allowed(tuple(compile_glob(glob) for glob in globs))
    except ValueError as error:
        raise UsageError(f"--allow-secret: {error}.") from None


def is_named_as_secret(path: str) -> bool:
    """Whether a file of this name is one in which programs and people keep secrets."""
    folder, _, name = path.rpartition("/")
    if _HARMLESS.fullmatch(name):
        return False
    return _NAMES.fullmatch(name) is not None or (
        name in _IN_FOLDERS and not _FOLDERS.isdisjoint(folder.lower().split("/"))
    )


def holds_secret(path: str, data: bytes) -> bool:
    """Whether the file's text is kept back: for its name, or since it is a private key whatever its name."""
    name = path.rpartition("/")[2]
    if _MIXED.fullmatch(name):
        return _SECRET_SETTING.search(data[:_LOOKED_AT]) is not None
    return is_named_as_secret(path) or is_private_key(data)


def is_private_key(data: bytes) -> bool:
    """Whether the file begins with a private key; source that holds one as an example begins with something else."""
    head = data[:_LOOKED_AT].lstrip()
    return head.startswith(b"-----BEGIN ") and _PRIVATE_KEY.match(head) is not None


def secret_digests(paths: Iterable[str], read: Callable[[str], bytes | None]) -> frozenset[bytes]:
    """By which a copy of one of these files is known again under whatever name.

    One that says no more than an example beside it does not count, nor one without a secret.
    """
    secret: set[bytes] = set()
    harmless: set[bytes] = set()
    for path in paths:
        is_example = _HARMLESS.fullmatch(path.rpartition("/")[2]) is not None
        if not is_example and not is_named_as_secret(path):
            continue
        data = read(path)
        if data and len(data) >= _SHORTEST_COPIED and (is_example or holds_secret(path, data)):
            (harmless if is_example else secret).add(text_digest(data))
    return frozenset(secret - harmless)


def secret_values(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """What must not be sent where a program prints it: passwords and keys that these files hold, the longest first.

    A value is one by its setting's name; a plain word is none, for it stands in many texts, nor is what an example says.
    """
    harmless = b"\n".join(data for path, data in files.items() if _HARMLESS.fullmatch(path.rpartition("/")[2]))
    found: set[bytes] = set()
    for path, data in files.items():
        if not holds_secret(path, data):
            continue
        for setting in _SETTING.finditer(data[:_LOOKED_AT]):
            if _SECRET_NAME.search(setting["name"]):
                found.add(setting["value"].strip(b"\"'"))
        if is_private_key(data):
            found.update(line for line in data[:_LOOKED_AT].split() if len(line) >= _SHORTEST_KEY_LINE)
    values = [one for one in found if len(one) >= _SHORTEST_COPIED and not one.isalpha() and one not in harmless]
    return tuple(sorted((one.decode("utf-8", "replace") for one in values), key=lambda value: (-len(value), value)))


def mask_values(text: str, values: Iterable[str]) -> str:
    """The text without these values."""
    for value in values:
        text = text.replace(value, KEPT_BACK)
    return text


def text_digest(data: bytes) -> bytes:
    """The same for two files with the same text, whatever their line ends and the blanks at its start and end."""
    return hashlib.sha256(data.replace(b"\r\n", b"\n").strip()).digest()


def why_not_shown(path: str) -> str:
    """What the model is told in place of such a file's text."""
    return (
        f"{path} looks like a file that holds passwords or keys. kcode keeps the text of those from you, whatever the "
        "way; tests that need it can read it. Do without it. If its form matters, look for an example of it, such as "
        ".env.example, or ask the user for the names in it without the values."
    )
