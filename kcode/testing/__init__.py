"""How a project is tested, and what its runner said."""

from kcode.testing.project import Project
from kcode.testing.run import Run, python_interpreters, run_project_tests

__all__ = ["Project", "Run", "python_interpreters", "run_project_tests"]
