"""Where the settings that the interface does not change come from: a flag, a variable, the file, or kcode itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.settingsfiles import read_config
from kcode.tui.screens.settings import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kcode.options import ModelOptions


def find_origins(
    model: ModelOptions, used: Mapping[str, str], environment: Mapping[str, str], config: Path, default: str
) -> list[Origin]:
    """For the endpoint, its address and the model: what is in use, and where that was said; `default` names kcode's own."""
    file = read_config(config)
    said = {"endpoint": model.endpoint, "base_url": model.base_url, "model": model.model}
    found = []
    for name, value in used.items():
        variable = f"KCODE_{name.upper()}"
        if said.get(name):
            source = f"--{name.replace('_', '-')}"
        elif environment.get(variable, "").strip():
            source = variable
        elif name in file:
            source = str(config)
        else:
            source = default
        found.append(Origin(name, value, source))
    return found
