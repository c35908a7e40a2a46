"""The endpoint's own web search as a tool of the conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kcode.errors import ToolError, UsageError
from kcode.tooling import Access, Tool, View

if TYPE_CHECKING:
    from kcode.providers.endpoints import Endpoint
    from kcode.results import ToolResult


def web_search_tool(endpoint: Endpoint) -> Tool:
    """The tool that tells the endpoint to search; UsageError where it offers no search."""
    search = endpoint.web_search
    if search is None:
        raise UsageError(
            f"{endpoint.title} offers no web search that kcode knows of. Leave --web-search out, or choose --endpoint "
            "moonshot."
        )
    schema: dict[str, Any] = {"type": "object", "properties": {}}
    return Tool(search.name, "", Access.NETWORK, schema, _run_elsewhere, search.declaration)


def describe_web_search(endpoint: Endpoint) -> str:
    """What the user should know before it is used: that it is on, and what it costs."""
    search = endpoint.web_search
    price = search.price if search else None
    cost = "a price that kcode does not know" if price is None else f"${price:g}"
    return f"Web search is on: {endpoint.title} charges {cost} a search, and what it finds as tokens."


async def _run_elsewhere(_view: View, /, **_arguments: Any) -> ToolResult:
    raise ToolError("The endpoint itself runs this tool.")
