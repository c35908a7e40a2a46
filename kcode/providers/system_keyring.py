"""The system's keyring, through the optional library `keyring`. Importing this module does not import the library."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from kcode.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVICE = "kcode"


def keyring_name() -> str | None:
    """What the system's keyring is called; None where the library or a real keyring behind it is missing."""
    try:
        import keyring  # noqa: PLC0415 - a third of a second, for those alone who keep a key there
    except ImportError:
        return None
    try:
        with _keyring_errors():
            backend = keyring.get_keyring()
            # As the library draws the line: below 1 are those that keep nothing, refuse all, or write plain text.
            return str(backend.name) if backend.priority >= 1 else None
    except UsageError:
        return None


def read_secret(name: str) -> str | None:
    """The key stored under this name; None when there is none. UsageError when the keyring cannot be asked."""
    try:
        import keyring  # noqa: PLC0415 - as above
    except ImportError:
        raise UsageError("The library that reads it is not installed: pip install 'kcode[keyring]'.") from None
    with _keyring_errors():
        return keyring.get_password(_SERVICE, name)


def write_secret(name: str, key: str) -> None:
    """Store the key under this name; UsageError when the keyring does not take it."""
    import keyring  # noqa: PLC0415 - as above

    with _keyring_errors():
        keyring.set_password(_SERVICE, name, key)


def delete_secret(name: str) -> None:
    """Delete the key under this name, if it is there; UsageError when the keyring cannot be asked."""
    try:
        import keyring  # noqa: PLC0415 - as above
    except ImportError:
        raise UsageError("The library that deletes it is not installed: pip install 'kcode[keyring]'.") from None
    with _keyring_errors():
        if keyring.get_password(_SERVICE, name) is not None:
            keyring.delete_password(_SERVICE, name)


@contextmanager
def _keyring_errors() -> Iterator[None]:
    """Turn what the library and the backends below it raise into UsageError."""
    from keyring.errors import KeyringError  # noqa: PLC0415

    # Linux's backend lets its own library's errors through, such as that of a dismissed prompt.
    storage = sys.modules.get("secretstorage.exceptions")
    below: tuple[type[Exception], ...] = (storage.SecretStorageException,) if storage else ()
    failures: tuple[type[Exception], ...] = (KeyringError, RuntimeError, OSError, *below)
    try:
        yield
    except failures as error:
        raise UsageError(f"The keyring cannot be used: {str(error) or type(error).__name__}.") from None
