"""The house as DESIGN.md draws it: who may import whom, where each library lives, how large things may grow."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# Imports point down only: a module may import from its own layer and from those below it.
LAYERS: list[set[str]] = [
    {"__main__"},
    {"cli"},
    {"headless", "tui"},
    {"commands"},
    {"agent"},
    {"context", "session", "providers", "sandbox", "testing", "editor"},
    {"draft"},
    {"tooling", "workspace", "safegit", "snapshot", "settings", "settingsfiles", "options"},
    {
        "events",
        "messages",
        "questions",
        "errors",
        "results",
        "sanitize",
        "prompts",
        "share",
        "secrets",
        "pricing",
        "folders",
        "globs",
        "nearest",
        "textfile",
        "streams",
        "piped",
    },
]

# One library, one home. A key is the top-level package, a value the only place that may import it.
HOMES = {
    "typer": "cli",
    "rich": "tui",
    "pygments": "tui",
    "markdown_it": "tui",
    "textual": "tui",
    "tomlkit": "tui",
    "openai": "providers",
    "httpx2": "providers",
    "git": "safegit",
    "splintr": "context",
    "tree_sitter": "context",
    "tree_sitter_bash": "context",
    "tree_sitter_c": "context",
    "tree_sitter_c_sharp": "context",
    "tree_sitter_cpp": "context",
    "tree_sitter_go": "context",
    "tree_sitter_java": "context",
    "tree_sitter_javascript": "context",
    "tree_sitter_php": "context",
    "tree_sitter_python": "context",
    "tree_sitter_ruby": "context",
    "tree_sitter_rust": "context",
    "tree_sitter_typescript": "context",
    "unidiff": "draft",
    "jsonschema": "agent",
    "keyring": "providers",
}

# Only these may write files, run programs or move files about.
EFFECTS = {
    "draft/journal.py",
    "draft/history.py",
    "draft/placement.py",
    "draft/exchange.py",  # swaps two names, by a call that Python does not have
    "draft/overlay.py",
    "draft/copytree.py",
    "draft/disk.py",
    "safegit.py",
    "session/log.py",
    "session/lock.py",  # the lock of a session that is under way
    "folders.py",
    "context/search.py",
    "context/index.py",  # starts the indexing process
    "context/indexer.py",  # its lock, which no two of them hold
    "context/store.py",  # deletes a damaged database
    "context/listing.py",  # opens files without following links or waiting for pipes
    "providers/cassette.py",
    "providers/learned.py",
    "providers/credentials.py",  # keys that login stores
    "headless/product.py",  # the file that --output names
    "editor.py",  # runs the user's own editor on a file of kcode's
    "headless/terminal.py",  # opens the terminal to ask a question
    "headless/demo.py",  # makes the project of the demo
    "tui/drawing.py",  # a file without a name, for what is written to stderr while the screen is drawn
    "streams.py",  # opens /dev/null in the place of a closed stream
}
EFFECTS_FOLDERS = ("sandbox/",)

MAX_FILE, MAX_FUNCTION, MAX_CLASS, MAX_METHODS = 400, 60, 250, 20
BAD_NAMES = re.compile(r"utils|helpers|common", re.IGNORECASE)
BAD_CLASSES = re.compile(r"Manager$|^Base[A-Z]|Impl$")
WRITERS = {
    "write_text",
    "write_bytes",
    "unlink",
    "rename",
    "replace",
    "rmdir",
    "mkdir",
    "touch",
    "symlink_to",
    "chmod",
    "hardlink_to",
}
OS_WRITERS = {
    "remove", "unlink", "rename", "replace", "rmdir", "removedirs", "mkdir", "makedirs", "symlink", "link", "chmod",
    "truncate", "mknod", "write", "open", "system", "popen", "execv", "execvp", "posix_spawn", "fork",
}  # fmt: skip


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py") if "_demo" not in path.parts)


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(tree: ast.Module) -> list[tuple[str, int]]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            if node.module == "kcode":
                found += [(f"kcode.{alias.name}", node.lineno) for alias in node.names]
            else:
                found.append((node.module, node.lineno))
    return found


def layer(module: str) -> int | None:
    return next((i for i, names in enumerate(LAYERS) if module in names), None)


def breaches_of_direction(name: str, tree: ast.Module) -> list[str]:
    own = name.removeprefix("kcode/").split("/")[0].removesuffix(".py")
    if own == "__init__":
        return []
    mine = layer(own)
    found = [] if mine is not None else [f"{name}: {own} has no layer in this test"]
    for module, line in imports(tree):
        if not module.startswith("kcode."):
            continue
        other = module.split(".")[1]
        theirs = layer(other)
        if theirs is None and other != "__version__":
            found.append(f"{name}:{line}: {module} has no layer in this test")
        elif (
            mine is not None
            and theirs is not None
            and (theirs < mine or (theirs == mine and theirs <= 5 and other != own))
        ):
            found.append(f"{name}:{line}: {own} imports {module}, which stands above or beside it")
    return found


def breaches_of_homes(name: str, tree: ast.Module) -> list[str]:
    own = name.removeprefix("kcode/").split("/")[0].removesuffix(".py")
    tops = [(module.split(".")[0], line) for module, line in imports(tree)]
    return [
        f"{name}:{line}: {top} is imported outside its home kcode/{HOMES[top]}"
        for top, line in tops
        if top in HOMES and HOMES[top] != own
    ]


def breaches_of_tools(name: str, tree: ast.Module) -> list[str]:
    return [
        f"{name}:{line}: a tool imports {module}; it may import kcode.tooling and the standard library"
        for module, line in imports(tree)
        if (module.startswith("kcode") and module != "kcode.tooling")
        or module in {"subprocess", "shutil", "socket", "os"}
    ]


def breaches_of_size(name: str, tree: ast.Module, lines: int) -> list[str]:
    found = [f"{name}: {lines} lines, more than {MAX_FILE}"] if lines > MAX_FILE else []
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        is_class = isinstance(node, ast.ClassDef)
        if length > (MAX_CLASS if is_class else MAX_FUNCTION):
            found.append(f"{name}:{node.lineno}: {node.name} has {length} lines")
        if is_class:
            methods = sum(isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body)
            if methods > MAX_METHODS:
                found.append(f"{name}:{node.lineno}: {node.name} has {methods} methods")
            if BAD_CLASSES.search(node.name):
                found.append(f"{name}:{node.lineno}: {node.name} is no name for a class here")
    if BAD_NAMES.search(name):
        found.append(f"{name}: a module is named after what it holds")
    return found


def breaches_of_effects(name: str, tree: ast.Module) -> list[str]:
    inner = name.removeprefix("kcode/")
    if inner in EFFECTS or inner.startswith(EFFECTS_FOLDERS):
        return []
    found = [
        f"{name}:{line}: {module} is for the few modules that act on the machine"
        for module, line in imports(tree)
        if module.split(".")[0] in {"subprocess", "shutil", "tempfile"}
    ]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "open":
            found.append(f"{name}:{node.lineno}: open() is for the few modules that act on the machine")
        elif isinstance(function, ast.Attribute):
            on_os = isinstance(function.value, ast.Name) and function.value.id == "os"
            text_replace = function.attr == "replace" and (len(node.args) != 1 or node.keywords)
            if (on_os and function.attr in OS_WRITERS) or (not on_os and function.attr in WRITERS and not text_replace):
                found.append(f"{name}:{node.lineno}: .{function.attr}() is for the few modules that act on the machine")
            if function.attr in {"create_subprocess_exec", "create_subprocess_shell"}:
                found.append(f"{name}:{node.lineno}: programs are run by sandbox/ and safegit.py")
    return found


def breaches_of_promises(name: str, tree: ast.Module, text: str) -> list[str]:
    found = [
        f"{name}:{number}: unfinished work is not committed"
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(r"#.*\b(TODO|FIXME|XXX|HACK)\b", line)
    ]
    broad = {"Exception", "BaseException"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            names = (
                {leaf.id for leaf in ast.walk(node.type) if isinstance(leaf, ast.Name)}
                if node.type
                else {"BaseException"}
            )
            reraises = any(isinstance(item, ast.Raise) and item.exc is None for item in node.body)
            if names & broad and not reraises and name != "kcode/agent/calls.py":
                found.append(f"{name}:{node.lineno}: Exception is caught in agent/calls.py only")
    return found


def all_breaches(name: str, text: str) -> list[str]:
    tree = ast.parse(text, name)
    found = breaches_of_size(name, tree, text.count("\n")) + breaches_of_promises(name, tree, text)
    if name.startswith("kcode/"):
        found += breaches_of_direction(name, tree) + breaches_of_homes(name, tree) + breaches_of_effects(name, tree)
    if name.startswith("tools/"):
        found += breaches_of_tools(name, tree) + breaches_of_effects(name, tree)
    return found


@pytest.mark.parametrize("path", sources("kcode", "tools"), ids=name_of)
def test_the_house_stands(path: Path) -> None:
    assert all_breaches(name_of(path), path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sources("tests"), ids=name_of)
def test_a_test_file_is_no_larger_than_any_other(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [b for b in breaches_of_size(name_of(path), parse(path), text.count("\n")) if "lines, more than" in b] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("kcode/draft/x.py", "from kcode.agent import turn\n"),
        ("kcode/session/x.py", "from kcode.context import gather\n"),
        ("kcode/newcomer.py", "import json\n"),
        ("kcode/agent/x.py", "import openai\n"),
        ("kcode/agent/x.py", "def f():\n    import textual.app\n"),
        ("kcode/agent/x.py", "from pathlib import Path\nPath('a').write_text('b')\n"),
        ("kcode/agent/x.py", "import subprocess\n"),
        ("kcode/agent/x.py", "import os\nos.remove('a')\n"),
        ("kcode/agent/x.py", "open('a', 'w')\n"),
        ("kcode/agent/x.py", "try:\n    f()\nexcept Exception:\n    pass\n"),
        ("kcode/agent/x.py", "# TODO: later\n"),
        ("kcode/agent/utils.py", ""),
        ("kcode/agent/x.py", "class TurnManager: ...\n"),
        ("kcode/agent/x.py", "x = 1\n" * 401),
        ("kcode/agent/x.py", "def f():\n" + "    x = 1\n" * 60),
        ("kcode/agent/x.py", "class C:\n" + "    def f(self): ...\n" * 21),
        ("tools/x.py", "from kcode.draft import draft\n"),
        ("tools/x.py", "import os\n"),
        ("tools/x.py", "from pathlib import Path\nPath('a').unlink()\n"),
    ],
)
def test_a_planted_breach_is_found(name: str, text: str) -> None:
    assert all_breaches(name, text)
