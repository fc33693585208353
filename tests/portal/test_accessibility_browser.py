"""Every page passes axe-core, in both themes, with its dialogs and menus open, and html-validate."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Page

from tests.browser import sign_in
from tests.people import People
from tests.programs import node_or_skip

pytestmark = pytest.mark.browser

STATIC = Path(__file__).resolve().parents[2] / "static"
AXE = STATIC / "node_modules" / "axe-core" / "axe.min.js"
RUN = """async ([context, only]) => {
    const options = only ? { runOnly: { type: "rule", values: only } } : { runOnly: { type: "tag", values: TAGS } };
    const { violations } = await axe.run(context ?? document, { ...options, resultTypes: ["violations"] });
    const say = ({ html, any, target }) => `${target} ${html.slice(0, 120)} (${any[0]?.message ?? ""})`;
    const shown = (nodes) => nodes.slice(0, 3).map(say).join(" | ");
    return violations.map(({ id, nodes }) => `${id}: ${shown(nodes)}`);
}""".replace("TAGS", '["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]')
SETTLED = """async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await frame();
    document.getAnimations().forEach((animation) => animation.finish());
    await frame();
}"""
OPENED = """async () => {
    const found = [];
    for (const opened of document.querySelectorAll("dialog[id], [popover][id]")) {
        if (opened.matches("dialog")) opened.showModal(); else opened.showPopover();
        const { violations } = await axe.run(`#${CSS.escape(opened.id)}`, { resultTypes: ["violations"] });
        found.push(...violations.map(({ id, nodes }) => `#${opened.id} ${id}: ${nodes[0].html.slice(0, 160)}`));
        if (opened.matches("dialog")) opened.close(); else opened.hidePopover();
    }
    return found;
}"""


@pytest.mark.timeout(400)  # forty pages, each looked at three times
def test_no_page_has_an_axe_violation(live_portal: str, people: People, page: Page, page_paths: list[str]) -> None:
    sign_in(page, live_portal, people.owner)
    axe, found = AXE.read_text(), []
    page.mouse.move(720, 4)  # what is pointed at may show a tooltip over something else
    page.emulate_media(reduced_motion="reduce")  # a colour half way to another one has a contrast of its own
    for where in page_paths:
        page.goto(f"{live_portal}{where}")
        page.evaluate(axe)
        found += [(where, text) for text in page.evaluate(RUN, [None, None])]
        found += [(where, text) for text in page.evaluate(OPENED)]
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")
        page.evaluate(SETTLED)
        found += [(where, f"dark {text}") for text in page.evaluate(RUN, [None, ["color-contrast"]])]
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert not found, "\n".join(f"{where}  {text}" for where, text in found)


def test_every_page_is_valid_html(people: People, page_paths: list[str], client: Client, tmp_path: Path) -> None:
    client.force_login(people.owner)
    for number, where in enumerate(page_paths):
        answer = client.get(where, follow=True)
        assert answer.status_code == 200, where
        name = f"{number:02}-{where.strip('/').replace('/', '-').replace('?', '-')[:80]}.html"
        (tmp_path / name).write_bytes(answer.content)
    validator, config = STATIC / "node_modules/html-validate/bin/html-validate.mjs", STATIC / ".htmlvalidate.json"
    result = subprocess.run(
        [
            node_or_skip(),
            str(validator),
            "--config",
            str(config),
            "--formatter",
            "text",
            *map(str, tmp_path.glob("*.html")),
        ],
        cwd=STATIC,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout[:4000] + result.stderr[:2000]
