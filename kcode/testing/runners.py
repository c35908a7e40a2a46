"""Which runner a project's tests have: a table of what each language's projects are known by."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kcode.errors import ToolError
from kcode.testing.project import NO_TARGET, REPORTS, Project, Runner, Target, find_target, in_folder, quote
from kcode.testing.python import python_runner

if TYPE_CHECKING:
    from collections.abc import Sequence

Find = Callable[[Project, Target], Runner | None]


@dataclass(frozen=True, slots=True)
class _Row:
    """`endings` are those of the files that the runner's tests are written in."""

    endings: tuple[str, ...]
    find: Find


def find_runner(project: Project, target: str, interpreters: Sequence[str]) -> Runner:
    """The way to run the project's tests, or those of the target; ToolError says what was looked for.

    Of a target in a sub-project, that one's runner; without a target the workspace's own, else that of the first folder
    in it that has one.
    """
    wanted = find_target(project, target)
    rows = _rows(interpreters)
    ending = posixpath.splitext(wanted.path)[1]
    if ending:
        rows = [row for row in rows if ending in row.endings] or rows
    for folder in _folders(project, wanted):
        part, inner = project.inside(folder), wanted.inside(folder)
        for row in rows:
            if found := row.find(part, inner):
                return found
    raise ToolError(
        "No way to run this project's tests was found: no pytest or unittest files, package.json test script, Cargo.toml, "
        "go.mod, pom.xml, Gradle build, Makefile with test or check, and the like. Run them with run_command."
    )


def _folders(project: Project, target: Target) -> list[str]:
    """Where to look: from the target up to the top, then the folders one level down."""
    found = []
    folder = target.path if target.path in project.folders else posixpath.dirname(target.path)
    while folder:
        if project.holds_project(folder):
            found.append(folder)
        folder = posixpath.dirname(folder)
    found.append("")
    if target.is_all or not target.path:
        found += sorted(folder for folder in project.folders if "/" not in folder and not folder.startswith("."))
    return found


def _rows(interpreters: Sequence[str]) -> list[_Row]:
    return [
        _Row((".py",), lambda project, target: python_runner(project, target, interpreters)),
        _Row((".js", ".cjs", ".mjs", ".jsx", ".ts", ".cts", ".mts", ".tsx", ".vue", ".svelte"), _script_of_package),
        _Row((".rs",), _cargo),
        _Row((".go",), _go),
        _Row((".java", ".kt", ".groovy", ".scala"), _maven),
        _Row((".java", ".kt", ".groovy", ".scala"), _gradle),
        _Row((), _make),
        _Row((".c", ".cc", ".cpp", ".cxx", ".h", ".hpp"), _ctest),
        _Row((".ex", ".exs"), _mix),
        _Row((".rb",), _ruby),
        _Row((".cs", ".fs", ".vb"), _dotnet),
        _Row((".php",), _phpunit),
        _Row((".js", ".ts", ".jsx", ".tsx"), _deno),
    ]


def _script_of_package(project: Project, target: Target) -> Runner | None:
    try:
        package = json.loads(project.text("package.json") or "{}")
        script = package["scripts"]["test"]
    except (ValueError, KeyError, TypeError):
        return None
    # What `npm init` writes: `echo "Error: no test specified" && exit 1`.
    if not isinstance(script, str) or not script.strip() or "no test specified" in script:
        return None
    manager = _package_manager(project, str(package.get("packageManager", "")))
    words = [target.path] if target.path else []
    if name := target.name.replace("::", " "):
        words += _name_option(script, name)
    rest = f" {'-- ' if manager == 'npm' else ''}{quote(*words)}" if words else ""
    shown = in_folder(project, f"{'bun run' if manager == 'bun' else manager} test{rest}")
    # CI: without it jest and vitest may wait and watch.
    return Runner(manager, in_folder(project, f"export CI=1; {shown.rpartition(' && ')[2]}"), shown)


def _name_option(script: str, name: str) -> list[str]:
    if re.search(r"\b(?:jest|vitest|react-scripts|bun test)\b", script):
        return ["-t", name]
    if "mocha" in script:
        return ["--grep", name]
    if re.search(r"\bnode\b.*--test\b", script):
        return [f"--test-name-pattern={name}"]
    return [name]


def _package_manager(project: Project, declared: str) -> str:
    locks = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lock": "bun", "bun.lockb": "bun"}
    named = declared.partition("@")[0]
    if named in {"npm", "pnpm", "yarn", "bun"}:
        return named
    return next((manager for lock, manager in locks.items() if lock in project.names), "npm")


def _plain(project: Project, name: str, command: str, *, note: str = "") -> Runner:
    shown = in_folder(project, command.strip())
    return Runner(name, shown, shown + note)


def _cargo(project: Project, target: Target) -> Runner | None:
    if "Cargo.toml" not in project.names:
        return None
    workspace = " --workspace" if "[workspace]" in project.text("Cargo.toml") else ""
    words: list[str] = []
    folder, file = posixpath.split(target.path)
    if folder == "tests" and file.endswith(".rs"):
        words = ["--test", file.removesuffix(".rs")]
    elif file.endswith(".rs") and not target.name and file not in {"lib.rs", "main.rs", "mod.rs"}:
        words = [f"{file.removesuffix('.rs')}::"]
    if target.name:
        words.append(target.name)
    return _plain(project, "cargo", f"cargo test --offline --no-fail-fast{workspace} {quote(*words)}")


def _go(project: Project, target: Target) -> Runner | None:
    if "go.mod" not in project.names:
        return None
    folder = posixpath.dirname(target.path) if target.path.endswith(".go") else target.path
    where = (f"./{folder}" if target.path.endswith(".go") else f"./{folder}/...") if folder else "./..."
    if target.path.endswith(".go") and not folder:
        where = "."
    if target.name:
        words = ["-run", target.name.replace("::", "/"), where]
    elif target.path.endswith("_test.go"):
        names = re.findall(r"^func (Test\w*)", project.text(target.path), re.MULTILINE)
        words = [*(["-run", f"^({'|'.join(names)})$"] if names else []), where]
    else:
        words = [where]
    # The JSON is too much to pass through the output's cap; errors of the build come on stderr.
    command = f"mkdir -p {REPORTS}; go test -json {quote(*words)} > {REPORTS}/go.json"
    return Runner("go", in_folder(project, command), in_folder(project, f"go test {quote(*words)}"), "go")


def _java_class(target: Target) -> str:
    return posixpath.splitext(posixpath.basename(target.path))[0] if posixpath.splitext(target.path)[1] else ""


def _maven(project: Project, target: Target) -> Runner | None:
    if "pom.xml" not in project.names:
        return None
    program = "./mvnw" if "mvnw" in project.names else "mvn"
    select = "#".join(part for part in (_java_class(target), target.name.replace("::", "#")) if part)
    option = quote(f"-Dtest={select}") if select else ""
    return _plain(project, "maven", f"{program} --offline --batch-mode test {option}")


def _gradle(project: Project, target: Target) -> Runner | None:
    if not project.names & {"build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"}:
        return None
    program = "./gradlew" if "gradlew" in project.names else "gradle"
    select = ".".join(part for part in (_java_class(target), target.name.replace("::", ".")) if part)
    option = quote("--tests", f"*{select}*") if select else ""
    return _plain(project, "gradle", f"{program} --offline --no-daemon --console=plain test {option}")


def _make(project: Project, target: Target) -> Runner | None:
    file = next((name for name in ("GNUmakefile", "makefile", "Makefile") if name in project.names), "")
    goals = re.findall(r"^([\w.-]+(?:[ \t]+[\w.-]+)*)[ \t]*::?(?!=)", project.text(file), re.MULTILINE) if file else []
    names = {name for goal in goals for name in goal.split()}
    goal = next((name for name in ("test", "check", "tests") if name in names), "")
    return _plain(project, "make", f"make {goal}", note="" if target.is_all else NO_TARGET) if goal else None


def _ctest(project: Project, target: Target) -> Runner | None:
    if not re.search(r"\b(?:enable_testing|include\s*\(\s*CTest)", project.text("CMakeLists.txt"), re.IGNORECASE):
        return None
    option = f" -R {quote(target.name)}" if target.name else ""
    build = (
        "new=$(mktemp -d) && trap 'rm -rf \"$new\"' EXIT; build=$new; "
        'for d in build cmake-build-debug out; do [ -f "$d/CMakeCache.txt" ] && build=$d; done; '
        'cmake -S . -B "$build" > "$new/said" 2>&1 || { cat "$new/said"; exit 1; }; '
        f'cmake --build "$build" && mkdir -p {REPORTS} && '
        f'ctest --test-dir "$build" --output-on-failure --output-junit {REPORTS}/junit.xml{option}'
    )
    shown = in_folder(project, f"cmake --build build && ctest --test-dir build{option}")
    return Runner("ctest", in_folder(project, build), shown + (NO_TARGET if target.path else ""), "junit")


def _mix(project: Project, target: Target) -> Runner | None:
    if "mix.exs" not in project.names:
        return None
    return _plain(project, "mix", f"mix test {quote(target.path)}", note=NO_TARGET if target.name else "")


def _ruby(project: Project, target: Target) -> Runner | None:
    bundle = "bundle exec " if "Gemfile" in project.names else ""
    if any(file.endswith("_spec.rb") for file in project.files):
        words = [target.path, *(["-e", target.name.replace("::", " ")] if target.name else [])]
        return _plain(project, "rspec", f"{bundle}rspec --no-color {quote(*words)}")
    if "Rakefile" not in project.names:
        return None
    words = [f"TEST={target.path}"] if target.path.endswith(".rb") else []
    words += [f"TESTOPTS=--name=/{re.escape(target.last_name)}/"] if target.name else []
    return _plain(project, "rake", f"{bundle}rake test {quote(*words)}")


def _dotnet(project: Project, target: Target) -> Runner | None:
    if not any(
        file.endswith((".sln", ".slnx", ".csproj", ".fsproj")) and file.count("/") < 3 for file in project.files
    ):
        return None
    select = target.name.replace("::", ".") or posixpath.splitext(posixpath.basename(target.path))[0]
    words = ["--filter", f"FullyQualifiedName~{select}"] if select else []
    return _plain(project, "dotnet", f"dotnet test {quote(*words)}")


def _phpunit(project: Project, target: Target) -> Runner | None:
    if not project.names & {"phpunit.xml", "phpunit.xml.dist", "phpunit.dist.xml"}:
        return None
    words = [*(["--filter", target.last_name] if target.name else []), target.path]
    shown = f"vendor/bin/phpunit {quote(*words)}".strip()
    command = f"mkdir -p {REPORTS}; {shown} --colors=never --log-junit {REPORTS}/junit.xml"
    return Runner("phpunit", in_folder(project, command), in_folder(project, shown), "junit")


def _deno(project: Project, target: Target) -> Runner | None:
    if not project.names & {"deno.json", "deno.jsonc"}:
        return None
    words = [*([f"--filter={target.name}"] if target.name else []), target.path]
    return _plain(project, "deno", f"NO_COLOR=1 deno test --allow-all --cached-only {quote(*words)}")
