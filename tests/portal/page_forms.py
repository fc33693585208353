"""The forms of pages that write, as a browser would send them."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

from django.test import Client

from tests.people import ApiResponse


@dataclass
class PageForm:
    """A form, or a button that writes. ``sent_by``: "browser", "htmx" or "script" (static/src/forms/submit.js)."""

    page: str
    method: str
    address: str
    sent_by: str
    names_state: bool
    is_button: bool = False
    hidden: dict[str, str] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    """Names of fields that a person types a text into."""

    @property
    def verb(self) -> str:
        return self.address.partition("?")[0].rstrip("/").rpartition("/")[2]


class _FormReader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms = page, list[PageForm]()
        self.open: PageForm | None = None

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        has_etag = bool(given.get("data-etag"))
        if "data-call" in given:
            method, _, address = given["data-call"].partition(" ")
            self.forms.append(PageForm(self.page, method, address, "script", has_etag, is_button=True))
        elif tag == "form" and given.get("data-method"):
            self._begin(PageForm(self.page, given["data-method"], given["data-url"], "script", has_etag))
        elif tag == "form" and given.get("method") == "post":
            sent_by = "htmx" if "hx-post" in given else "browser"
            self._begin(PageForm(self.page, "POST", given.get("action") or self.page, sent_by, False))
        elif self.open and given.get("name"):
            self._add_field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None

    def _begin(self, form: PageForm) -> None:
        self.open = form
        self.forms.append(form)

    def _add_field(self, tag: str, given: dict[str, str]) -> None:
        assert self.open is not None
        kind = given.get("type", "text")
        if tag == "input" and kind == "hidden":
            self.open.hidden[given["name"]] = given.get("value", "")
            self.open.names_state = self.open.names_state or bool(given["name"] == "if_match" and given.get("value"))
        elif tag == "textarea" or (tag == "input" and kind in ("text", "email", "password", "search", "number")):
            self.open.typed.append(given["name"])


def forms_of(browser: Client, page: str) -> list[PageForm]:
    """Return the forms and buttons of a page that write."""
    reader = _FormReader(page)
    reader.feed(browser.get(page).content.decode())
    return reader.forms


def submit(browser: Client, page: str, address: str, sent: dict[str, str]) -> ApiResponse:
    """Send the page's form with this address, with what it hides, and follow where it leads."""
    form = next(form for form in forms_of(browser, page) if form.address == address)
    return browser.post(address, {**form.hidden, **sent}, follow=True)
