"""How a command runs: isolated, within limits, and ended for sure."""

from kcode.sandbox.command import run_command
from kcode.sandbox.probe import find_sandbox
from kcode.sandbox.rungs import UNISOLATED, Limits, Rung, Sandbox
from kcode.sandbox.surroundings import OUTPUT_FOLDER, REPORT_FOLDER

__all__ = ["OUTPUT_FOLDER", "REPORT_FOLDER", "UNISOLATED", "Limits", "Rung", "Sandbox", "find_sandbox", "run_command"]
