"""`kcode demo`: the real program over a small real project, with scripted replies in the model's place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kcode.errors import GitError
from kcode.headless.fix import fix_issue
from kcode.headless.terminal import BOLD, DIM, Terminal
from kcode.options import ColorChoice, ModelOptions, OutputOptions, PlaceOptions

DEMO = Path(__file__).parent.parent / "_demo"
AUTHOR = ("-c", "user.name=kcode demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgSign=false")


def run_demo(color: ColorChoice) -> int:
    """Copy the project, fix it, and say what was real in it; returns the exit code of the fix."""
    terminal = Terminal(os.environ, color)
    folder = Path(tempfile.mkdtemp(prefix="kcode-demo-")).resolve() / "project"
    shutil.copytree(DEMO / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
    _commit(folder)
    issue = (DEMO / "issue.txt").read_text(encoding="utf-8").strip()
    terminal.say("The model's replies in this demo are scripted. Draft, sandbox, tests and diff are real.", BOLD)
    terminal.say(f"A project with a failing test: {folder}")
    terminal.say(f"kcode fix {issue!r}\n", DIM)
    code = fix_issue(
        issue,
        ModelOptions(replay=DEMO / "replies.jsonl"),
        PlaceOptions(folder=folder),
        OutputOptions(color=color),
    )
    # The patch is on stdout; what follows on stderr must not overtake it where both are one terminal or log.
    sys.stdout.flush()
    terminal.say(f"\nGo on there: cd {folder}; kcode diff, kcode apply, kcode undo.", DIM)
    terminal.say("With a real model: export MOONSHOT_API_KEY=… (platform.moonshot.ai → API keys), then kcode fix.", DIM)
    return code


def _commit(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "A small project")):
        done = subprocess.run(
            ["git", *AUTHOR, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise GitError(f"git {arguments[0]} failed in {folder}: {done.stderr.strip()}")
