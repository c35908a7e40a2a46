"""The themes as Textual has them, and which palette the lines of each take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.theme import BUILTIN_THEMES, Theme
from textual.widget import Widget

from kcode.tui.palette import ANSI, BLIND, DARK, LIGHT, PALETTES

if TYPE_CHECKING:
    from textual.app import App

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
            variables=_scrollbars("#d0d7de", "#afb8c1", "#8c959f", "#ffffff"),
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
            variables=ansi.variables | _scrollbars("ansi_bright_black", "ansi_white", "ansi_white", "ansi_default"),
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
        variables=_scrollbars("#343a46", "#4a5262", "#5b6577", "#101217"),
    )


def _scrollbars(thumb: str, hovered: str, held: str, ground: str) -> dict[str, str]:
    """Scrollbars that are seen only by who looks for them."""
    grounds = ("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active")
    return {
        "scrollbar": thumb,
        "scrollbar-hover": hovered,
        "scrollbar-active": held,
        "scrollbar-corner-color": ground,
        **dict.fromkeys(grounds, ground),
    }


def palette_for(theme: Theme) -> Palette:
    """How lines look under this theme; a theme that is not kcode's takes the nearest of kcode's palettes."""
    if theme.name in PALETTES:
        return PALETTES[theme.name]
    if theme.ansi:
        return ANSI
    return DARK if theme.dark else LIGHT


def repaint(app: App[Any]) -> None:
    """Have every widget look anew: Textual tells those alone whose own colours differ in the theme that came."""
    for screen in app.screen_stack:
        for widget in (screen, *screen.walk_children(Widget)):
            widget.notify_style_update()
            widget.refresh()


def theme_names() -> list[str]:
    """Every theme that can be chosen: kcode's own first, then Textual's."""
    return [*PALETTES, *BUILTIN_THEMES]
