"""Pictures of every own screen, to be looked at one by one; they are not part of a test run.

python -m tests.flows.screenshots <folder> [--screens <pattern>] [--looks 1400-light,320-dark] [--demo <dir>]
python -m tests.flows.screenshots docs/images --docs takes those of the documentation.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from tests.browser import chromium
from tests.conftest import build_demo
from tests.flows import test_accessibility as engine
from tests.flows import test_customer_data_access as data
from tests.flows.conftest import opened
from tests.flows.installation import Installation
from tests.flows.test_accessibility import TOO_WIDE
from tests.flows.test_editor import log_in

LOOKS = [f"{width}-{scheme}" for width in (1400, 768, 320) for scheme in ("light", "dark")]
HEIGHT = 900
# The pictures of the documentation: where, and what shall be in view.
DOCS = {
    "dashboard": ("/admin/personalization/dashboard/?range=month", "h1"),
    "scenario-editor": ("/admin/personalization/scenario/{scenario}/", ".engine-board"),
    "audience-builder": ("/admin/customer-data/audience/new/", "text=Calculated"),
    "data-manager": ("/admin/customer-data/dataflow/{flow}/transform/", "text=Write Mode"),
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--screens", default="", help="only addresses in which this pattern is found")
    parser.add_argument("--looks", default=",".join(LOOKS), help="widths and schemes, all when left out")
    parser.add_argument("--docs", action="store_true", help="the pictures of the documentation instead")
    parser.add_argument("--demo", type=Path, help="where the demo stays for the next time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, chromium() as browser:
        folder = given.demo or Path(temporary) / "var"
        keys = furnish(Installation(var_dir=folder))
        given.folder.mkdir(parents=True, exist_ok=True)
        if given.docs:
            with Installation(var_dir=folder).serving() as demo:
                illustrate(browser, demo, keys, folder=given.folder)
            return
        chosen = [one for one in addresses(keys) if re.search(given.screens, one)]
        with Installation(var_dir=folder, extra_env={"LODESTAR_DEBUG_BAR": "1"}).serving() as demo:
            take(browser, demo, chosen, folder=given.folder, looks=given.looks.split(","))


def furnish(demo: Installation) -> dict[str, str]:
    """Build the demo and what the tests of accessibility fill lists and forms with, unless it is there."""
    kept = demo.var_dir / "screens.json"
    if not kept.exists():
        build_demo(demo.var_dir)
        kept.write_text(json.dumps(engine.state(demo) | data.state(demo)))
    found: dict[str, str] = json.loads(kept.read_text())
    return found


def addresses(keys: dict[str, str]) -> list[str]:
    screens = [*engine.SCREENS, *(f"customer-data/{screen}" for screen in data.SCREENS)]
    return [*engine.PAGES, *(f"/admin/{screen.format(**keys)}" for screen in screens)]


def take(browser: Browser, demo: Installation, chosen: list[str], *, folder: Path, looks: list[str]) -> None:
    """Each address in each look, as <address>.<width>-<scheme>.png."""
    engine.some_events(demo)
    context = browser.new_context(base_url=demo.base, viewport={"width": 1400, "height": HEIGHT})
    page = context.new_page()
    page.set_default_timeout(60_000)
    log_in(page)
    for address in chosen:
        page.set_viewport_size({"width": 1400, "height": HEIGHT})
        page.goto(address)
        for look in looks:
            shoot(page, look, folder / f"{name_of(address)}.{look}.png")
    context.close()


def shoot(page: Page, look: str, file: Path) -> None:
    width, scheme = look.split("-")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.set_viewport_size({"width": int(width), "height": HEIGHT})
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)  # the menu of the back office slides aside
    for one in page.evaluate(TOO_WIDE):
        sys.stdout.write(f"{file.name}: {one} is wider than the window\n")
    # The back office scrolls within a box, so that a picture of the full page would end at the window's edge.
    height = page.evaluate(
        "Math.max(...[...document.querySelectorAll('html, #main')].map(one => one.scrollHeight))"
    )
    page.set_viewport_size({"width": int(width), "height": max(HEIGHT, height)})
    page.screenshot(path=file)


def illustrate(browser: Browser, demo: Installation, keys: dict[str, str], *, folder: Path) -> None:
    """What the documentation shows, in few colours so that the files are small."""
    with opened(browser, demo) as page:
        page.set_viewport_size({"width": 1280, "height": 1330})
        page.goto("/stories/")
        stories = [one.get_attribute("href") for one in page.locator("main .card a").all()]
        for story in list(dict.fromkeys(stories))[:3]:
            page.goto(str(story))
            page.wait_for_load_state("networkidle")
        page.goto("/")
        page.get_by_text("Because you viewed").first.wait_for()
        keep(page, folder / "home.png")
    with opened(browser, demo) as page:
        page.set_viewport_size({"width": 1400, "height": 900})
        log_in(page)
        for name, (address, seen) in DOCS.items():
            page.goto(address.format(**keys))
            page.locator(seen).first.scroll_into_view_if_needed()
            page.wait_for_load_state("networkidle")
            keep(page, folder / f"{name}.png")


def keep(page: Page, file: Path) -> None:
    page.wait_for_timeout(1000)  # charts draw themselves
    with Image.open(BytesIO(page.screenshot())) as picture:
        small = picture.convert("RGB").resize((1120, round(picture.height * 1120 / picture.width)))
        small.quantize(200, dither=Image.Dither.NONE).save(file, optimize=True)


def name_of(address: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", address.lower()).strip("_") or "site"


if __name__ == "__main__":
    main()
