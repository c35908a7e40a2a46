"""Find the folders that stand beside the package in a checkout and inside it in a wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def shared(folder: str) -> Path:
    """Return `tools` or `prompts` as installed, else as checked out."""
    # A wheel carries the folders inside the package; a checkout has them beside it.
    installed = _PACKAGE / "_share" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder
