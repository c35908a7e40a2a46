"""Which tools a session has, and how a request tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kcode.agent.websearch import web_search_tool
from kcode.providers.history import encode_tools
from kcode.share import shared
from kcode.tooling import Access, load_tools

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from kcode.providers.endpoints import Endpoint
    from kcode.settings import Settings
    from kcode.tooling import Tool


def choose_tools(command: str, settings: Settings, endpoint: Endpoint, config: Path) -> dict[str, Tool]:
    """The tools of a session that this command starts; a question is answered with those that only read."""
    tools = load_tools([shared("tools"), config / "tools"])
    if command == "ask":
        tools = {name: tool for name, tool in tools.items() if tool.access is Access.READ}
    if settings.web_search:
        search = web_search_tool(endpoint)
        tools[search.name] = search
    return tools


def describe_tools(tools: Collection[Tool]) -> str:
    """The tools as a request tells of them; "" without any."""
    return encode_tools(tools).decode() if tools else ""
