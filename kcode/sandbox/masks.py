"""Where programs keep keys, tokens and histories on this machine; a command finds these places empty."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_IN_HOME = (
    ".1password", ".anthropic", ".aws", ".azure", ".bash_history", ".boto", ".cargo/credentials",
    ".cargo/credentials.toml", ".claude", ".claude.json", ".codex", ".databrickscfg", ".docker", ".gem/credentials",
    ".gemini", ".git-credentials", ".gnupg", ".kaggle", ".kimi", ".kube", ".mozilla", ".my.cnf", ".netrc",
    ".node_repl_history", ".npmrc", ".password-store", ".pgpass", ".pip", ".psql_history", ".pypirc",
    ".python_history", ".s3cfg", ".ssh", ".subversion/auth", ".terraform.d", ".thunderbird", ".vault-token",
    ".yarnrc.yml", ".zsh_history",
)  # fmt: skip

_IN_CONFIG = (
    "BraveSoftware", "chromium", "composer/auth.json", "doctl", "gcloud", "gh", "git/credentials", "github-copilot",
    "glab-cli", "google-chrome", "hub", "ngrok", "op", "pip", "rclone",
)  # fmt: skip

_IN_DATA = ("keyrings", "kwalletd", "opencode", "python_keyring", "TabNine")

_IN_CACHE = ("huggingface/token", "huggingface/stored_tokens", "opencode")

# Variables that name another place for one of the above; several paths are separated by colons.
_NAMED = (
    "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AZURE_CONFIG_DIR", "BOTO_CONFIG", "CLOUDSDK_CONFIG",
    "CODEX_HOME", "DOCKER_CONFIG", "GH_CONFIG_DIR", "GNUPGHOME", "GOOGLE_APPLICATION_CREDENTIALS", "HISTFILE",
    "HF_TOKEN_PATH", "KAGGLE_CONFIG_DIR", "KUBECONFIG", "NETRC", "NPM_CONFIG_USERCONFIG", "PASSWORD_STORE_DIR",
    "PGPASSFILE", "PIP_CONFIG_FILE",
)  # fmt: skip


def secret_paths(environment: Mapping[str, str]) -> list[Path]:
    """Every place that may hold a secret, whether it exists or not."""
    home = Path(environment.get("HOME") or Path.home())
    found = [home / name for name in _IN_HOME]
    for variable, default, names in (
        ("XDG_CONFIG_HOME", ".config", _IN_CONFIG),
        ("XDG_DATA_HOME", ".local/share", _IN_DATA),
        ("XDG_CACHE_HOME", ".cache", _IN_CACHE),
    ):
        given = environment.get(variable, "")
        folders = [home / default, *([Path(given)] if given.startswith("/") else [])]
        found += [folder / name for folder in folders for name in names]
    # kcode's own folders at their usual place, also when this run was told of another.
    found += [home / ".config/kcode", home / ".local/state/kcode"]
    for variable in ("CARGO_HOME",):
        given = environment.get(variable, "")
        found += [Path(given) / name for name in ("credentials", "credentials.toml") if given.startswith("/")]
    named = [path for variable in _NAMED for path in environment.get(variable, "").split(":")]
    return found + [Path(path) for path in named if path.startswith("/")]
