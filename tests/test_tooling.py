from __future__ import annotations

import asyncio
import re
import textwrap
import typing
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import pytest
from jsonschema import Draft202012Validator

from kcode.errors import KcodeError
from kcode.tooling import Access, Tool, ToolResult, View, load_tools, tool

ROOT = Path(__file__).parent.parent
SHIPPED = load_tools([ROOT / "tools"])

# What Moonshot's own schema dialect takes without fail: flat objects, a type everywhere, no references.
KEYWORDS = {"type", "description", "properties", "required", "additionalProperties", "items", "enum"}

GOOD = '''
from typing import Annotated
from kcode.tooling import Access, ToolResult, View, tool

@tool(Access.READ)
async def {name}(view: View, path: Annotated[str, "{note}"]) -> ToolResult:
    """Look at a file."""
    return ToolResult(path)
'''


class Row(TypedDict):
    name: Annotated[str, "its name"]
    count: NotRequired[Annotated[int, "how many"]]


class Loose(TypedDict, total=False):
    name: typing.Required[str]
    count: int


def write(folder: Path, name: str, text: str = GOOD, note: str = "where") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(text).replace("{name}", name).replace("{note}", note), encoding="utf-8")
    return path


def schemas(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schema and all that stand in it."""
    inner = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return [schema, *(found for one in inner for found in schemas(one))]


@pytest.mark.parametrize("shipped", SHIPPED.values(), ids=SHIPPED)
def test_a_shipped_tool_is_told_in_the_words_that_every_endpoint_takes(shipped: Tool) -> None:
    assert re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_-]{2,63}", shipped.name)
    assert shipped.description
    Draft202012Validator.check_schema(shipped.parameters)
    for schema in schemas(shipped.parameters):
        assert set(schema) <= KEYWORDS
        assert isinstance(schema["type"], str)
        if schema["type"] == "object":
            assert schema["additionalProperties"] is False
            assert set(schema["required"]) <= set(schema["properties"])
    for name, schema in shipped.parameters["properties"].items():
        # A flag's name may say it all.
        assert schema.get("description") or schema["type"] == "boolean", f"{name} is not described"


def test_a_signature_becomes_a_flat_schema() -> None:
    @tool(Access.EXECUTE)
    async def example(
        view: View,
        text: Annotated[str, "some text"],
        rows: Annotated[list[Row], "all rows"],
        kind: Annotated[Literal["a", "b"], "which"] = "a",
        count: Annotated[int | None, "how many"] = None,
        ratio: Annotated[float, "between 0 and 1"] = 0.5,
        deep: Annotated[bool, "all the way"] = False,
    ) -> ToolResult:
        """Do it.

        And say so.
        """
        return ToolResult(f"{view} {text} {rows} {kind} {count} {ratio} {deep}")

    assert (example.name, example.access) == ("example", Access.EXECUTE)
    assert example.description == "Do it.\n\nAnd say so."
    assert example.parameters == {
        "type": "object",
        "properties": {
            "text": {"type": "string", "description": "some text"},
            "rows": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "description": "its name"},
                        "count": {"type": "integer", "description": "how many"},
                    },
                    "required": ["name"],
                    "additionalProperties": False,
                },
                "description": "all rows",
            },
            "kind": {"type": "string", "enum": ["a", "b"], "description": "which"},
            "count": {"type": "integer", "description": "how many"},
            "ratio": {"type": "number", "description": "between 0 and 1"},
            "deep": {"type": "boolean", "description": "all the way"},
        },
        "required": ["text", "rows"],
        "additionalProperties": False,
    }


def test_a_loose_dictionary_requires_what_it_says() -> None:
    @tool(Access.READ)
    async def example(view: View, row: Annotated[Loose, "a row"]) -> ToolResult:
        return ToolResult(f"{view} {row}")

    row = example.parameters["properties"]["row"]
    assert row["required"] == ["name"]
    assert set(row["properties"]) == {"name", "count"}


@pytest.mark.parametrize("hint", [dict[str, str], str | int, bytes, tuple[int, ...], object])
def test_a_type_that_has_no_flat_schema_is_refused(hint: Any) -> None:
    async def example(view: View, value: Any) -> ToolResult:
        return ToolResult(f"{view} {value}")

    example.__annotations__["value"] = Annotated[hint, "a value"]
    with pytest.raises((TypeError, ValueError)):
        tool(Access.READ)(example)


def test_tools_come_sorted_and_run(tmp_path: Path) -> None:
    write(tmp_path / "own", "zebra")
    write(tmp_path / "own", "apple")
    tools = load_tools([tmp_path / "own", tmp_path / "missing"])
    assert list(tools) == ["apple", "zebra"]
    result = asyncio.run(_call(tools["apple"], path="x.py"))
    assert result == ToolResult("x.py")


async def _call(one: Tool, **arguments: Any) -> ToolResult:
    return await one.function(typing.cast("View", None), **arguments)


def test_a_later_folder_replaces_a_tool(tmp_path: Path) -> None:
    write(tmp_path / "first", "look", note="the first")
    write(tmp_path / "second", "look", note="the second")
    both = load_tools([tmp_path / "first", tmp_path / "second"])
    assert list(both) == ["look"]
    assert both["look"].parameters["properties"]["path"]["description"] == "the second"


@pytest.mark.parametrize(
    "text",
    [
        "def broken(:\n",
        "import no_such_module_anywhere\n",
        "from kcode.tooling import no_such_name\n",
        "undefined_name\n",
        "raise ValueError('no')\n",
        "{}['no']\n",
        "open('/no/such/file')\n",
        "raise RuntimeError('no')\n",
        "",
        GOOD.replace("{name}", "another_name"),
        GOOD + GOOD.replace("{name}", "second_tool"),
        GOOD.replace("str,", "dict,"),
        GOOD.replace('Annotated[str, "{note}"]', "Annotated[str, 5]"),
    ],
    ids=[
        "syntax",
        "missing module",
        "missing name",
        "undefined name",
        "wrong value",
        "missing key",
        "missing file",
        "any failure",
        "empty",
        "another name",
        "two tools",
        "type without schema",
        "no description",
    ],
)
def test_a_tool_file_that_cannot_serve_is_an_error_that_names_it(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "own", "look", text)
    with pytest.raises(KcodeError, match=re.escape(str(path))):
        load_tools([tmp_path / "own"])
