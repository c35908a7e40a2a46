"""The themes as Textual has them, and which palette the lines of each take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.theme import BUILTIN_THEMES, Theme

from kcode.tui.palette import ANSI, BLIND, DARK, LIGHT, PALETTES

if TYPE_CHECKING:
    from kcode.tui.palette import Palette

DEFAULT_THEME = DARK.name


def own_themes() -> list[Theme]:
    """The themes that kcode brings, each named as its palette."""
    ansi = BUILTIN_THEMES["ansi-dark"]
    return [
        _dark(DARK.name, warning="#e6b455", error="#f28b82", success="#7ecf8f"),
        _dark(BLIND.name, warning="#f5e0a3", error="#f0a35e", success="#6cb6ff"),
        Theme(
            name=LIGHT.name,
            primary="#0550ae",
            secondary="#0f6a63",
            accent="#0550ae",
            foreground="#24292f",
            background="#ffffff",
            surface="#f6f8fa",
            panel="#eef1f4",
            warning="#7d4e00",
            error="#b3261e",
            success="#116329",
            dark=False,
        ),
        Theme(
            name=ANSI.name,
            ansi=True,
            primary=ansi.primary,
            secondary=ansi.secondary,
            accent="ansi_blue",
            foreground=ansi.foreground,
            background=ansi.background,
            surface=ansi.surface,
            panel=ansi.panel,
            boost=ansi.boost,
            warning=ansi.warning,
            error=ansi.error,
            success=ansi.success,
            dark=True,
            variables=ansi.variables,
        ),
    ]


def _dark(name: str, warning: str, error: str, success: str) -> Theme:
    return Theme(
        name=name,
        primary="#8ec7ff",
        secondary="#7fd1c7",
        accent="#8ec7ff",
        foreground="#d7dae0",
        background="#101217",
        surface="#151820",
        panel="#1a1d24",
        warning=warning,
        error=error,
        success=success,
        dark=True,
    )


def palette_for(theme: Theme) -> Palette:
    """How lines look under this theme; a theme that is not kcode's takes the nearest of kcode's palettes."""
    if theme.name in PALETTES:
        return PALETTES[theme.name]
    if theme.ansi:
        return ANSI
    return DARK if theme.dark else LIGHT


def theme_names() -> list[str]:
    """Every theme that can be chosen: kcode's own first, then Textual's."""
    return [*PALETTES, *BUILTIN_THEMES]
