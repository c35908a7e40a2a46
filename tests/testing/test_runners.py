"""Which runner is chosen, and how a target is put to it."""

from __future__ import annotations

import re
import shlex

import pytest

from kcode.errors import ToolError
from kcode.testing.project import Project, Target, find_target
from kcode.testing.run import python_interpreters
from kcode.testing.runners import find_runner


def project(texts: dict[str, str]) -> Project:
    return Project(sorted(texts), lambda path: texts[path].encode())


def shown(texts: dict[str, str], target: str = "") -> str:
    return find_runner(project(texts), target, ["python3"]).shown


PYTEST_TEST = {"tests/test_a.py": "import pytest\ndef test_a(): ...\n"}
UNITTEST_TEST = {"tests/test_a.py": "import unittest\nclass A(unittest.TestCase): ...\n"}
SCRIPT = '{"scripts": {"test": "%s"}}'


@pytest.mark.parametrize(
    ("texts", "command"),
    [
        (PYTEST_TEST, "python -m pytest -q"),
        ({"pytest.ini": "[pytest]\n", **UNITTEST_TEST}, "python -m pytest -q"),
        ({"pyproject.toml": "[tool.pytest.ini_options]\n", "a.py": ""}, "python -m pytest -q"),
        ({"setup.cfg": "[tool:pytest]\n", "a.py": ""}, "python -m pytest -q"),
        ({"tox.ini": "[tox]\n[pytest]\n"}, "python -m pytest -q"),
        ({"tests/conftest.py": "", **UNITTEST_TEST}, "python -m pytest -q"),
        ({"test_a.py": "def test_a(): assert 1\n"}, "python -m pytest -q"),
        (UNITTEST_TEST, "python -m unittest discover -v -s tests -p 'test*.py'"),
        (
            {**UNITTEST_TEST, "tests/__init__.py": ""},
            "python -m unittest discover -v -s tests -t . -p 'test*.py'",
        ),
        ({"manage.py": "os.environ['DJANGO_SETTINGS_MODULE']", **UNITTEST_TEST}, "python manage.py test --no-input"),
        ({"tox.ini": "[tox]\n"}, "tox"),
        ({"noxfile.py": ""}, "nox"),
        ({"package.json": SCRIPT % "jest"}, "npm test"),
        ({"package.json": SCRIPT % "jest", "yarn.lock": ""}, "yarn test"),
        ({"package.json": SCRIPT % "jest", "pnpm-lock.yaml": ""}, "pnpm test"),
        ({"package.json": SCRIPT % "bun test", "bun.lock": ""}, "bun run test"),
        ({"package.json": '{"packageManager": "yarn@4.1.0", "scripts": {"test": "x"}}'}, "yarn test"),
        ({"Cargo.toml": "[package]"}, "cargo test --offline --no-fail-fast"),
        ({"Cargo.toml": "[workspace]"}, "cargo test --offline --no-fail-fast --workspace"),
        ({"go.mod": "module x"}, "go test ./..."),
        ({"pom.xml": "", "mvnw": ""}, "./mvnw --offline --batch-mode test"),
        ({"build.gradle.kts": ""}, "gradle --offline --no-daemon --console=plain test"),
        ({"Makefile": "CFLAGS := -O2\nall: x\n\ntest: all\n\t./x\n"}, "make test"),
        ({"GNUmakefile": "lint check: all\n\t./x\n"}, "make check"),
        ({"CMakeLists.txt": "enable_testing()\n"}, "cmake --build build && ctest --test-dir build"),
        ({"mix.exs": ""}, "mix test"),
        ({"Gemfile": "", "spec/a_spec.rb": ""}, "bundle exec rspec --no-color"),
        ({"Rakefile": ""}, "rake test"),
        ({"src/App.csproj": ""}, "dotnet test"),
        ({"phpunit.xml.dist": ""}, "vendor/bin/phpunit"),
        ({"deno.json": "{}"}, "NO_COLOR=1 deno test --allow-all --cached-only"),
        ({"web/package.json": SCRIPT % "jest", "README.md": ""}, "cd web && npm test"),
        ({"Makefile": "test:\n\tx\n", "py/setup.py": "", "py/test_a.py": "import pytest\n"}, "make test"),
    ],
)
def test_a_project_is_known_by_its_files(texts: dict[str, str], command: str) -> None:
    assert shown(texts) == command


@pytest.mark.parametrize(
    ("texts", "target", "command"),
    [
        (PYTEST_TEST, "tests/test_a.py::A::test_b[x y]", "python -m pytest -q 'tests/test_a.py::A::test_b[x y]'"),
        (PYTEST_TEST, "test_b[x-y]", "python -m pytest -q -k 'test_b and x and y'"),
        (PYTEST_TEST, "tests", "python -m pytest -q tests"),
        (UNITTEST_TEST, "tests/test_a.py::A::b", "python -m unittest discover -v -s tests -p test_a.py -k A.b"),
        ({"package.json": SCRIPT % "jest", "a.test.js": ""}, "a.test.js::adds", "npm test -- a.test.js -t adds"),
        ({"package.json": SCRIPT % "mocha"}, "adds up", "npm test -- --grep 'adds up'"),
        (
            {"package.json": SCRIPT % "vitest run", "pnpm-lock.yaml": "", "x/a.ts": ""},
            "x/a.ts",
            "pnpm test x/a.ts",
        ),
        ({"Cargo.toml": "", "tests/io.rs": ""}, "tests/io.rs", "cargo test --offline --no-fail-fast --test io"),
        ({"Cargo.toml": "", "src/io.rs": ""}, "src/io.rs", "cargo test --offline --no-fail-fast io::"),
        ({"go.mod": "", "p/a_test.go": "func TestA(t *testing.T) {}\n"}, "p/a_test.go", "go test -run '^(TestA)$' ./p"),
        ({"go.mod": "", "p/a.go": ""}, "p", "go test ./p/..."),
        ({"go.mod": ""}, "TestA", "go test -run TestA ./..."),
        (
            {"pom.xml": "", "src/test/java/x/FooTest.java": ""},
            "src/test/java/x/FooTest.java::bar",
            "mvn --offline --batch-mode test '-Dtest=FooTest#bar'",
        ),
        ({"Makefile": "test:\n\tx\n"}, "a", "make test (all tests: it takes no target)"),
        ({"spec/a_spec.rb": ""}, "spec/a_spec.rb", "rspec --no-color spec/a_spec.rb"),
        (
            {**PYTEST_TEST, "web/package.json": SCRIPT % "jest", "web/a.js": ""},
            "web/a.js",
            "cd web && npm test -- a.js",
        ),
        (
            {**PYTEST_TEST, "package.json": SCRIPT % "jest", "a.test.js": ""},
            "a.test.js",
            "npm test -- a.test.js",
        ),
    ],
)
def test_a_target_is_put_in_the_runners_own_words(texts: dict[str, str], target: str, command: str) -> None:
    assert shown(texts, target) == command


@pytest.mark.parametrize("name", ["$(touch x)", "a; rm -rf .", "`id`", "it's"])
def test_a_target_never_becomes_shell(name: str) -> None:
    for texts in (UNITTEST_TEST, {"package.json": SCRIPT % "jest"}, {"go.mod": ""}, {"Cargo.toml": ""}):
        assert name in shlex.split(shown(texts, name))
    assert set(shlex.split(shown(PYTEST_TEST, name))[5].split(" and ")) <= set(re.findall(r"\w+", name))


def test_how_a_target_is_read() -> None:
    texts = project({"pkg/tests/test_a.py": "", "pkg/b.py": ""})
    assert find_target(texts, "") == Target()
    assert find_target(texts, ".") == Target()
    assert find_target(texts, " ./pkg/tests/ ") == Target("pkg/tests")
    assert find_target(texts, "pkg/../pkg/b.py") == Target("pkg/b.py")
    assert find_target(texts, "pkg.tests.test_a.A.b") == Target("pkg/tests/test_a.py", "A::b")
    assert find_target(texts, "adds 1.5 and 2") == Target(name="adds 1.5 and 2")
    with pytest.raises(ToolError, match="There is no test file"):
        find_target(texts, "pkg/test_c.py")


def test_broken_project_files_are_passed_over() -> None:
    for package in ("{", "[]", '{"scripts": []}', '{"scripts": {"test": 1}}', '{"scripts": null}'):
        assert shown({"package.json": package, "Makefile": "test:\n\tx\n"}) == "make test"


def test_the_active_environment_comes_before_the_systems_python() -> None:
    found = python_interpreters({"VIRTUAL_ENV": "/some/env"})
    assert found[:2] == ["/some/env/bin/python", "python3"]
    assert python_interpreters({"VIRTUAL_ENV": "relative"})[0] == "python3"
