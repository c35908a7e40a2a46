"""Which files look as if they held passwords or keys; their text is never sent to a model."""

from __future__ import annotations

import re

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
