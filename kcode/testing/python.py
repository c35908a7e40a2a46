"""How the tests of a Python project are run."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.testing.project import NO_TARGET, REPORTS, Project, Runner, Target, in_folder, quote

if TYPE_CHECKING:
    from collections.abc import Sequence

_VENVS = (".venv", "venv", "env")
_MOST_FILES_READ = 60
_TEST_FILE = re.compile(r"(?:^|/)(?:test[^/]*|[^/]*_test|tests)\.py$")


@dataclass(frozen=True, slots=True)
class _Style:
    """What the test files are made of."""

    files: tuple[str, ...]
    uses_pytest: bool
    uses_unittest: bool


def python_runner(project: Project, target: Target, interpreters: Sequence[str]) -> Runner | None:
    """pytest, Django's or unittest's runner, else tox or nox; None for what is no Python project with tests.

    `interpreters` are those beside the project's own virtual environments, the best first. Which one has pytest is found
    out where the tests run, in the same launch.
    """
    style = _style(project)
    configured = _configures_pytest(project)
    if not configured and "manage.py" in project.names and "DJANGO_SETTINGS_MODULE" in project.text("manage.py"):
        return _django(project, target, interpreters)
    if configured or style.uses_pytest or (style.files and not style.uses_unittest):
        fallback = style.uses_unittest and not style.uses_pytest
        return _pytest(project, target, interpreters, style if fallback else None)
    if style.uses_unittest:
        return _unittest(project, target, style, interpreters)
    for file, command in (("tox.ini", "tox"), ("noxfile.py", "nox")):
        if file in project.names:
            shown = in_folder(project, command)
            return Runner(command, shown, shown + ("" if target.is_all else NO_TARGET))
    return None


def _style(project: Project) -> _Style:
    files = tuple(
        sorted((file for file in project.own_files if _TEST_FILE.search(file)), key=lambda f: (f.count("/"), f))
    )
    texts = [project.text(file) for file in files[:_MOST_FILES_READ]]
    uses_pytest = any(re.search(r"^\s*(?:import|from) pytest\b", text, re.MULTILINE) for text in texts)
    uses_unittest = any(re.search(r"\bTestCase\b", text) for text in texts)
    return _Style(files, uses_pytest, uses_unittest)


def _configures_pytest(project: Project) -> bool:
    sections = (
        ("pytest.ini", ""),
        (".pytest.ini", ""),
        ("pytest.toml", ""),
        ("pyproject.toml", "[tool.pytest"),
        ("tox.ini", "[pytest]"),
        ("setup.cfg", "[tool:pytest]"),
    )
    if any(file in project.names and section in project.text(file) for file, section in sections):
        return True
    return any(posixpath.basename(file) == "conftest.py" and file.count("/") < 4 for file in project.own_files)


def _candidates(project: Project, interpreters: Sequence[str]) -> list[str]:
    above = "../" * (project.folder.count("/") + 1) if project.folder else ""
    own = [f"{venv}/bin/python" for venv in _VENVS]
    root = [f"{above}{venv}/bin/python" for venv in _VENVS] if above else []
    return list(dict.fromkeys([*own, *root, *interpreters]))


def _pytest(project: Project, target: Target, interpreters: Sequence[str], style: _Style | None) -> Runner:
    words = [f"{target.path}::{target.name}" if target.path and target.name else target.path]
    if target.name and not target.path:
        # -k takes an expression; of a name with brackets or blanks its words are asked for.
        words = ["-k", " and ".join(re.findall(r"\w+", target.name))]
    arguments = quote(*words)
    # The cache would be a new file in a project that does not ignore it; -p no:cacheprovider breaks a project's --lf.
    options = f"-q --tb=short --color=no -o junit_family=xunit1 -o cache_dir={REPORTS}/pytest-cache --junitxml={REPORTS}/junit.xml"
    script = f'"$python" -m pytest {options} {arguments}'.rstrip()
    told = f"-m pytest -q {arguments}".rstrip()
    if style is not None:
        otherwise = _first_python(project, interpreters, _unittest_arguments(project, target, style))
    else:
        otherwise = (
            'echo "pytest is not installed in any Python here. Tried:${tried:- none is there}. '
            "Install it in the project's .venv, or give kcode another test command with --test.\" >&2\nexit 1"
        )
    command = _script(
        project,
        f"""tried=
for python in {quote(*_candidates(project, interpreters))}; do
  command -v "$python" >/dev/null 2>&1 || continue
  if "$python" -c 'import importlib.util, sys; sys.exit(importlib.util.find_spec("pytest") is None)' >/dev/null 2>&1; then
    {_announce(project, told)}
    exec {script}
  fi
  tried="$tried $python"
done
{otherwise}""",
    )
    return Runner("pytest", command, in_folder(project, f"python {told}"), "junit", announces=True)


def _unittest(project: Project, target: Target, style: _Style, interpreters: Sequence[str]) -> Runner:
    arguments = _unittest_arguments(project, target, style)
    script = _script(project, _first_python(project, interpreters, arguments))
    return Runner("unittest", script, in_folder(project, f"python {arguments}"), announces=True)


def _unittest_arguments(project: Project, target: Target, style: _Style) -> str:
    path, name = target.path, target.name.replace("::", ".")
    select = ["-k", name] if name else []
    if path.endswith(".py"):
        folder, file = posixpath.split(path)
        return f"-m unittest discover -v {quote(*_start(project, folder), '-p', file, *select)}"
    if path:
        return f"-m unittest discover -v {quote(*_start(project, path), '-p', _pattern(style, path), *select)}"
    tops = {posixpath.dirname(file) for file in style.files}
    common = posixpath.commonpath([f"/{top}" for top in tops]).strip("/")
    return f"-m unittest discover -v {quote(*_start(project, common), '-p', _pattern(style, common), *select)}"


def _pattern(style: _Style, folder: str) -> str:
    names = [posixpath.basename(file) for file in style.files if not folder or file.startswith(f"{folder}/")]
    return "test*.py" if not names or any(name.startswith("test") for name in names) else "*_test.py"


def _start(project: Project, folder: str) -> list[str]:
    """The options that make discovery begin at a folder: from the top where it is a package, else by itself."""
    if not folder:
        return []
    parts = folder.split("/")
    is_package = all("/".join([*parts[: i + 1], "__init__.py"]) in project.names for i in range(len(parts)))
    return ["-s", folder, "-t", "."] if is_package else ["-s", folder]


def _django(project: Project, target: Target, interpreters: Sequence[str]) -> Runner:
    label = target.path.removesuffix(".py").replace("/", ".")
    label = ".".join(part for part in (label, target.name.replace("::", ".")) if part) if label else ""
    select = ["-k", target.name] if target.name and not target.path else []
    arguments = f"manage.py test --no-input {quote(label, *select)}".rstrip()
    script = _script(project, _first_python(project, interpreters, arguments))
    return Runner("django", script, in_folder(project, f"python {arguments}"), announces=True)


def _first_python(project: Project, interpreters: Sequence[str], arguments: str) -> str:
    return f"""for python in {quote(*_candidates(project, interpreters))}; do
  command -v "$python" >/dev/null 2>&1 || continue
  {_announce(project, arguments)}
  exec "$python" {arguments}
done
echo 'No Python was found to run the tests with. Make a virtual environment .venv in the project.' >&2
exit 1"""


def _announce(project: Project, arguments: str) -> str:
    """The line of sh that prints what is run, as it could be typed in the workspace's root."""
    return f"""printf '+ %s%s %s\\n' {shlex.quote(in_folder(project, ""))} "$python" {shlex.quote(arguments)}"""


def _script(project: Project, body: str) -> str:
    # Byte code would be new files in a project that does not ignore __pycache__.
    enter = f"cd {quote(project.folder)} || exit 1\n" if project.folder else ""
    return f"{enter}export PYTHONDONTWRITEBYTECODE=1\n{body}"
