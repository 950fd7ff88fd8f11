"""Draws the README's picture of the live lesson: the page as a browser shows it, at the step that says why."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import passline

HERE = Path(__file__).parent


def main() -> None:
    """Write play.png beside this file."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as started:
        page = Path(folder) / "lesson.html"
        passline.play(page)
        browser = started.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": 1180, "height": 800}, reduced_motion="reduce", locale="en-GB")
        shown.goto(f"{page.as_uri()}#steps=10000&guide=4")
        shown.wait_for_timeout(500)
        shown.screenshot(path=HERE / "play.png")
        browser.close()


if __name__ == "__main__":
    main()
