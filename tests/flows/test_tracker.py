"""The tracker on pages that are not ours, and our pages without JavaScript ..."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.flows.installation import Installation, eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

# The snippet of the reference; only host, customer and ids are filled in.
BARE = """<html><head><title>Bare</title>
<script type="text/javascript">
  var _ycq = _ycq || [];
  _ycq.push(['_setMandator', '10101']);
  _ycq.push(['_trackEvent', '39', 'click', '{item}', '']);
  _ycq.push(['_trackTimedEvent', '39', 'consume', '{item}', '500', '']);

  (function() {{
    var yc = document.createElement('script');
    yc.type = 'text/javascript';
    yc.async = true;
    yc.src = ('https:' == document.location.protocol ? 'https://' : 'http://') +
      '{host}/static/lodestar/tracker.js';
    var ycs = document.getElementsByTagName('script')[0];
    ycs.parentNode.insertBefore(yc, ycs);
  }})();
</script></head><body>
<button onclick="_ycq.push(['_trackEvent', '39', 'basket', '{item}', ''])">Basket</button>
</body></html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder of bare HTML files, and the address of a server that serves it."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def stored(demo: Installation, item: str) -> list[Any]:
    with closing(sqlite3.connect(demo.var_dir / "events.sqlite3")) as database:
        found = database.execute(
            "SELECT event, percentage, user FROM tracking_event WHERE item_id = ? ORDER BY event", (item,)
        )
        return found.fetchall()


@pytest.mark.parametrize(("opened_as", "item"), [("another origin", "900001"), ("file", "900002")])
def test_it_tracks_with_the_plain_snippet_of_the_reference_in_a_bare_file(
    opened_as: str, item: str, folder: tuple[Path, str], demo: Installation, browser: Browser
) -> None:
    path, origin = folder
    page_file = path / "bare.html"
    page_file.write_text(BARE.format(item=item, host=demo.base.removeprefix("http://")))
    with browser.new_context() as context:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(page_file.as_uri() if opened_as == "file" else f"{origin}/bare.html")
        page.click("button")
        eventually(lambda: len(stored(demo, item)) == 3, what="three events")

    [basket, click, consume] = stored(demo, item)
    assert errors == []
    assert (basket[:2], click[:2], consume[:2]) == (("basket", None), ("click", None), ("consume", 100))
    assert basket[2] == click[2] == consume[2] != ""


def test_it_counts_the_view_of_a_browser_without_javascript(demo: Installation, browser: Browser) -> None:
    def views() -> int:
        with closing(sqlite3.connect(demo.var_dir / "events.sqlite3")) as database:
            count: int = database.execute(
                "SELECT count(*) FROM tracking_event WHERE event = 'click' AND user <> ''"
            ).fetchone()[0]
            return count

    before = views()
    with browser.new_context(java_script_enabled=False, base_url=demo.base) as context:
        page = context.new_page()
        with page.expect_response(lambda answer: "/api/10101/click/" in answer.url) as seen:
            page.goto("/shop/clothing/hut-socks/")
        visitor = next(c["value"] for c in context.cookies() if c["name"] == "lodestar_visitor")
        assert page.locator("h1").inner_text()

    assert seen.value.status == 200
    assert seen.value.headers["content-type"] == "image/gif"
    assert f"/api/10101/click/{visitor}/40/" in seen.value.url
    eventually(lambda: views() == before + 1, what="the view")
