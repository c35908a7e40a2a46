"""One tool call: from the text that the model wrote to the result that it reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kcode.errors import KcodeError, ToolError
from kcode.results import ToolResult

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kcode.messages import ToolCall
    from kcode.tooling import Tool, View


async def run_tool_call(call: ToolCall, tools: Mapping[str, Tool], view: View, *, cut_off: bool = False) -> ToolResult:
    """Run one call and return its result; whatever fails becomes a failed result that says what to do next.

    `cut_off` tells that the reply ended at the output limit, so arguments that do not parse were cut, not misspelt.
    """
    tool = tools.get(call.name)
    if tool is None:
        return _failed(f"There is no tool named {call.name!r}. The tools are: {', '.join(tools)}.", "unknown tool")
    if tool.declaration is not None:
        # Moonshot: its search is run when the arguments come back exactly as they were sent.
        return ToolResult(call.arguments, summary="by the endpoint")
    try:
        arguments = read_arguments(call.arguments, tool, cut_off=cut_off)
        return await tool.function(view, **arguments)
    except (ToolError, KcodeError) as error:
        return _failed(str(error))
    except Exception as error:  # noqa: BLE001  # the one place: a tool's failure is the model's to read
        return _failed(f"{call.name} failed with {type(error).__name__}: {error}. Try another way.")


def _failed(text: str, summary: str = "") -> ToolResult:
    return ToolResult(text=text, summary=summary or _first_line(text), failed=True)


def _first_line(text: str) -> str:
    line = text.splitlines()[0] if text else ""
    return line if len(line) <= 100 else line[:99] + "…"


def read_arguments(text: str, tool: Tool, *, cut_off: bool = False) -> dict[str, Any]:
    """The call's arguments, fit for the tool's schema; ToolError says all that is wrong and what is expected.

    Values that hosts are known to send as strings (numbers, booleans, whole arrays) are read as what the schema asks
    for, and null for an optional argument counts as left out.
    """
    import jsonschema  # noqa: PLC0415  # 100 ms; the first call comes long after the first request has left

    try:
        # strict=False: K2 writes raw newlines inside JSON strings now and then.
        given = json.loads(text, strict=False) if text.strip() else {}
    except ValueError as error:
        if cut_off:
            raise ToolError(
                f"{tool.name} was not run: the reply reached the output limit in the middle of the arguments. "
                "Send a smaller call: split a long edit or file into parts.",
            ) from None
        raise ToolError(
            f"{tool.name} was not run: its arguments are not valid JSON ({error}). {_expected(tool)}"
        ) from None
    if given is None:
        given = {}
    if isinstance(given, dict):
        given = _fit(given, tool.parameters)
    wrong = [
        f"{issue.json_path.removeprefix('$').lstrip('.') or 'arguments'}: {issue.message}"
        for issue in jsonschema.Draft202012Validator(tool.parameters).iter_errors(given)
    ]
    if wrong:
        raise ToolError(f"{tool.name} was not run. {'; '.join(wrong[:5])}. {_expected(tool)}")
    arguments: dict[str, Any] = given
    return arguments


def _fit(value: Any, schema: Mapping[str, Any]) -> Any:
    kind = schema["type"]
    if isinstance(value, str) and kind != "string":
        try:
            parsed = json.loads(value, strict=False)
        except ValueError:
            return value
        value = parsed
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        return int(value)
    if kind == "array" and isinstance(value, list):
        return [_fit(item, schema["items"]) for item in value]
    if kind == "array" and isinstance(value, dict):
        return [_fit(value, schema["items"])]
    if kind == "object" and isinstance(value, dict):
        known = schema["properties"]
        required = schema.get("required", ())
        return {
            name: _fit(item, known[name]) if name in known else item
            for name, item in value.items()
            if item is not None or name in required or name not in known
        }
    return value


def _expected(tool: Tool) -> str:
    required = tool.parameters["required"]
    parts = [
        f"{name}{'' if name in required else '?'}: {_spelled(schema)}"
        for name, schema in tool.parameters["properties"].items()
    ]
    return f"Expected: {{{', '.join(parts)}}}."


def _spelled(schema: Mapping[str, Any]) -> str:
    if schema["type"] == "array":
        return f"[{_spelled(schema['items'])}, …]"
    if schema["type"] == "object":
        required = schema.get("required", ())
        return (
            "{"
            + ", ".join(f"{n}{'' if n in required else '?'}: {_spelled(s)}" for n, s in schema["properties"].items())
            + "}"
        )
    return " | ".join(map(json.dumps, schema["enum"])) if "enum" in schema else str(schema["type"])
