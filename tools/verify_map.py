#!/usr/bin/env python3
"""Opens a page in headless Chromium without a network and uses it as a person would: no error, and what is shown is right.

    python tools/verify_map.py map.html --screenshot map.png [--chromium /usr/bin/chromium]

For the page of `vit map`: points at pictures until one shows up, zooms, drags and hides a folder. Other pages (--plain)
are only opened. Needs the Python package playwright. Exits with 1 where the page complains or asks for the network.
"""

import argparse
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("page", type=Path)
    parser.add_argument("--screenshot", type=Path, help="where to put a picture of the page")
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    parser.add_argument("--plain", action="store_true", help="only open it: a report, not a map")
    options = parser.parse_args()
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=options.chromium, args=["--no-sandbox"])
        context = browser.new_context(offline=True, viewport={"width": 1200, "height": 800})
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda r: complaints.append(f"asks for {r.url}") if r.url.startswith("http") else None)
        page.goto(options.page.resolve().as_uri())
        page.wait_for_timeout(500)
        if not options.plain:
            complaints += use_map(page, options.screenshot)
        elif options.screenshot:
            page.screenshot(path=options.screenshot, full_page=True)
        browser.close()
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    print("no complaint" if not complaints else f"{len(complaints)} complaints")
    return 1 if complaints else 0


def use_map(page: Page, screenshot: Path | None) -> list[str]:
    complaints = []
    count = page.evaluate("count")
    shown = 0
    for index in range(0, count, max(1, count // 20)):
        page.mouse.move(*page.evaluate(f"[left + data.points[{2 * index}] * scale, top_ + data.points[{2 * index + 1}] * scale]"))
        found = page.evaluate("hovered")
        wanted = page.evaluate("({index: hovered, path: data.paths[hovered], picture: data.thumbnails[hovered]})")
        if found < 0 or not page.locator("#tip").is_visible():
            complaints.append(f"pointing at {index} shows nothing")
        elif page.locator("#name").inner_text() != (wanted["path"] or f"row {found}"):
            complaints.append(f"pointing at {index} shows another name")
        elif wanted["picture"]:
            page.wait_for_function("picture.complete && picture.naturalWidth > 0", timeout=2000)
            shown += 1
    print(f"{count} points; {shown} pictures seen under the pointer")
    if screenshot:
        page.screenshot(path=screenshot)
    before = page.evaluate("scale")
    page.mouse.move(700, 400)
    page.mouse.wheel(0, -600)
    page.wait_for_timeout(200)
    if not page.evaluate("scale") > before:
        complaints.append("the wheel does not zoom")
    start = page.evaluate("left")
    page.mouse.down()
    page.mouse.move(760, 430)
    page.mouse.up()
    if abs(page.evaluate("left") - start - 60) > 1:
        complaints.append("dragging does not move the map")
    page.locator(".folder").first.click()
    if page.evaluate("hidden.size") != 1:
        complaints.append("clicking a folder does not hide it")
    page.wait_for_timeout(200)
    return complaints


if __name__ == "__main__":
    sys.exit(main())
