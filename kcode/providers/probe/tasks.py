"""What the probe asks: small tasks whose right answers are plain, over tools that are declared and never run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kcode.errors import ToolError
from kcode.messages import SystemMessage, UserMessage
from kcode.tooling import Access, Tool

if TYPE_CHECKING:
    from kcode.tooling import ToolResult, View

# K2 Thinking may think for thousands of tokens before a call of ten; with less room it ends in the middle.
REPLY_TOKENS = 16_384
LIMIT_TOKENS = 128


@dataclass(frozen=True, slots=True)
class Task:
    """One request: what is asked, with which tools, and how many calls the answer should hold."""

    name: str
    messages: tuple[SystemMessage | UserMessage, ...]
    tools: tuple[Tool, ...] = ()
    calls: int = 0


async def _never_run(_view: View, /, **_arguments: Any) -> ToolResult:
    raise ToolError("A probe runs no tool.")


def _tool(name: str, description: str, properties: dict[str, Any], required: list[str]) -> Tool:
    parameters = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
    return Tool(name, description, Access.READ, parameters, _never_run)


_TEXT = {"type": "string"}
TOOLS = (
    _tool(
        "get_weather",
        "The weather at one station now.",
        {
            "station": {**_TEXT, "description": "The station's name."},
            "unit": {**_TEXT, "enum": ["celsius", "fahrenheit"], "description": "The unit of the temperature."},
        },
        ["station", "unit"],
    ),
    _tool(
        "book_room",
        "Book a room for guests.",
        {
            "hotel": {**_TEXT, "description": "The hotel's name."},
            "nights": {"type": "integer", "description": "How many nights."},
            "breakfast": {"type": "boolean", "description": "Whether breakfast is wanted."},
            "guests": {
                "type": "array",
                "description": "All guests.",
                "items": {
                    "type": "object",
                    "properties": {"name": _TEXT, "age": {"type": "integer"}},
                    "required": ["name", "age"],
                    "additionalProperties": False,
                },
            },
        },
        ["hotel", "nights", "breakfast", "guests"],
    ),
    _tool(
        "write_note",
        "Write a note to a file.",
        {
            "path": {**_TEXT, "description": "The file's path."},
            "lines": {"type": "array", "items": _TEXT, "description": "The note's lines."},
            "append": {"type": "boolean", "description": "Add to the file instead of replacing it."},
        },
        ["path", "lines"],
    ),
)
RESULT = "-3 degrees celsius, clear, wind 12 km/h from the north-west"

_STATIONS = ("Davos", "Bergen", "Cusco", "Nome", "Leh", "Perth", "Oruro", "Sapporo", "Tromso", "Ushuaia")
# Long enough that every cache of prefixes holds it: the largest unit met is 1,024 tokens.
_SYSTEM = SystemMessage(
    "You help at a weather service. Use the tools; do not answer from memory. The stations and their records:\n"
    + "\n".join(
        f"{number:02}. {_STATIONS[number % 10]}, mast {number // 10 + 1}: height {137 * number % 3100} m, "
        f"record {number % 40} degrees in {1900 + number}, serviced every {number % 9 + 2} months"
        for number in range(50)
    )
)


PLAIN = Task("plain", (UserMessage("What is 17 times 23? Answer with the number alone."),))
TRIES = tuple(
    Task(name, (_SYSTEM, UserMessage(text)), TOOLS, calls)
    for name, calls, text in (
        ("one call", 1, "What is the weather at Davos, in celsius? Call get_weather."),
        (
            "calls at once",
            3,
            "The weather at Davos, Bergen and Cusco, in celsius: call get_weather 3 times in one reply.",
        ),
        ("a nested call", 1, "Call book_room: Ada, 36, and Linus, 12, for 3 nights with breakfast at the hotel Krone."),
        ("a call with quotes", 1, 'Call write_note for notes/a.txt with two lines. First: She said "no". Second: a\\b'),
    )
)
LONG = Task("a long answer", (UserMessage("Write the numbers from 1 to 500 in English words, one a line."),))
