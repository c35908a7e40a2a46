"""Draws what README.md shows: the scripted demo in the real interface, with a real draft, sandbox and tests.

    python -m docs.pictures [FOLDER]

writes conversation.svg, review.svg and session.svg, which is a film, beside this file or into FOLDER. It takes a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from textual.events import Key

from docs.svg import Frame, Picture, draw_film, draw_picture, read_strip
from kcode.agent.place import open_place
from kcode.options import ModelOptions, PlaceOptions
from kcode.tui.app import KcodeApp, Start
from kcode.tui.keys import teach_keys
from kcode.tui.preferences import Preferences
from kcode.tui.texts import load_texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from textual.pilot import Pilot

HERE = Path(__file__).parent
DEMO = HERE.parent / "kcode" / "_demo"
WORDS = (
    "An invoice of 100.00 paid over three months is billed as 3 x 33.33. The instalments must add up to the invoice."
)
# Seconds between the pieces of a reply, between two keys, and that a thing is looked at.
PACE, KEY, LOOK = 0.045, 0.045, 1.6
FRAMES_A_SECOND, DEADLINE = 8, 60.0


@dataclass
class Camera:
    """Looks at the screen many times a second, and keeps what is other than before."""

    app: KcodeApp
    frames: list[Frame] = field(default_factory=list)
    began: float = field(default_factory=monotonic)

    @property
    def seconds(self) -> float:
        return monotonic() - self.began

    def take(self) -> Picture:
        picture = picture_of(self.app)
        # Between two screens there is nothing for a moment.
        if len(picture) < self.app.size.height:
            return picture
        if not self.frames or self.frames[-1].picture != picture:
            self.frames.append(Frame(self.seconds, picture))
        return picture

    async def run(self) -> None:
        while True:
            self.take()
            await asyncio.sleep(1 / FRAMES_A_SECOND)


def picture_of(app: KcodeApp) -> Picture:
    strips = app.screen._compositor.render_strips(app.size)  # noqa: SLF001 - Textual has no other door to it
    return [read_strip(strip) for strip in strips]


def text_of(picture: Picture) -> str:
    return "\n".join("".join(run.text for run in row) for row in picture)


def prepare(folder: Path) -> Start:
    """The demo's project as a repository, and its replies at the pace of a model."""
    project = folder / "billing"
    shutil.copytree(DEMO / "project", project, ignore=shutil.ignore_patterns("__pycache__"))
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("add", "-A"),
        ("-c", "user.name=kcode demo", "-c", "user.email=demo@localhost", "commit", "-q", "-m", "A small project"),
    ):
        subprocess.run(["git", *arguments], cwd=project, check=True)
    replies = folder / "replies.jsonl"
    with replies.open("w", encoding="utf-8") as file:
        for line in (DEMO / "replies.jsonl").read_text(encoding="utf-8").splitlines():
            reply = json.loads(line) if line.startswith("{") else {}
            file.write((json.dumps(reply | {"pace": PACE}) if "reasoning" in reply else line) + "\n")
    place = PlaceOptions(folder=project)
    return Start(ModelOptions(replay=replies), place, open_place(place))


@asynccontextmanager
async def filming(columns: int, rows: int) -> AsyncIterator[tuple[Pilot[int], Camera]]:
    with tempfile.TemporaryDirectory(prefix="kcode-pictures-") as scratch:
        os.environ.update(HOME=scratch, XDG_STATE_HOME=f"{scratch}/state", XDG_CONFIG_HOME=f"{scratch}/config")
        app = KcodeApp(prepare(Path(scratch)), Preferences(), load_texts())
        async with app.run_test(size=(columns, rows)) as pilot:
            camera = Camera(app)
            await see(camera, "kimi-k2-thinking")
            running = asyncio.create_task(camera.run())
            yield pilot, camera
            running.cancel()
            await asyncio.to_thread(app.talk.close, DEADLINE)


async def see(camera: Camera, *words: str) -> None:
    """Wait until all of these words are on the screen."""
    end = monotonic() + DEADLINE
    while not all(word in text_of(picture_of(camera.app)) for word in words):
        if monotonic() > end:
            raise SystemExit(f"never on the screen: {words}\n{text_of(picture_of(camera.app))}")
        await asyncio.sleep(0.05)


async def type_words(pilot: Pilot[int], words: str) -> None:
    for character in words:
        pilot.app.post_message(Key(character, character))
        await asyncio.sleep(KEY)


async def press(pilot: Pilot[int], *keys: str) -> None:
    """Press one key after the other, so that each can be followed."""
    for key in keys:
        pilot.app.simulate_key(key)
        await asyncio.sleep(LOOK)


async def film(folder: Path, columns: int = 120, rows: int = 34) -> None:
    """One session from the question to the files that are written."""
    async with filming(columns, rows) as (pilot, camera):
        await asyncio.sleep(LOOK)
        await type_words(pilot, WORDS)
        await press(pilot, "enter")
        await see(camera, "billing/instalments.py:27")
        await asyncio.sleep(3 * LOOK)
        await press(pilot, "f2", "a", "a", "a", "enter", "y")
        await see(camera, "hunks applied")
        await asyncio.sleep(2 * LOOK)
        camera.take()
        drawn = draw_film(camera.frames, camera.seconds, columns, "kcode: a fix from the question to the files")
    (folder / "session.svg").write_text(drawn, encoding="utf-8")


async def stills(folder: Path, columns: int = 150, rows: int = 32) -> None:
    """The conversation while the model edits, and the review of what came of it."""
    async with filming(columns, rows) as (pilot, camera):
        await type_words(pilot, WORDS)
        await press(pilot, "enter")
        await see(camera, "others may rest on")
        conversation = camera.take()
        await see(camera, "billing/instalments.py:27")
        await press(pilot, "f2", "w")
        await see(camera, "There it is")
        review = camera.take()
    for name, picture in (("conversation", conversation), ("review", review)):
        drawn = draw_picture(picture, columns, f"kcode: {name}")
        (folder / f"{name}.svg").write_text(drawn, encoding="utf-8")


def main(folder: Path) -> None:
    teach_keys()
    asyncio.run(stills(folder))
    asyncio.run(film(folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
