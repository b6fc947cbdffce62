"""Pictures of the demo's pages for README and docs, made by `make screenshots`: what people see, not what we drew."""

import shutil
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

SITE, IMAGES = Path("site"), Path(__file__).parent / "images"
PAGES = {"overview": "index", "application": "lookout-app-shop-*", "latency": "latency", "memory": "memory"}
VIEWPORT = {"width": 1280, "height": 900}
DRAWN_MS = 4_000
"""By then every chart in view is drawn."""


def main() -> int:
    """Open each page in Chromium, without a network, and write what is in view."""
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEWPORT, color_scheme="light")
        page.context.set_offline(True)
        for name, pattern in PAGES.items():
            (found,) = SITE.glob(f"{pattern}.html")
            _shoot(page, found, IMAGES / f"{name}.png")
        browser.close()
    return 0


def _shoot(page: Page, source: Path, target: Path) -> None:
    page.goto(source.resolve().as_uri())
    page.wait_for_timeout(DRAWN_MS)
    page.screenshot(path=target)
    print(target)


if __name__ == "__main__":
    sys.exit(main())
