"""Which other hosts the built pages of the documentation would ask for something: none.

``python -m tests.pages FOLDER`` lists what pages, style sheets and scripts would load from
elsewhere, and fails if there is any. Links that a reader may follow do not count.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

LOADS = {
    "audio": {"src"},
    "embed": {"src"},
    "iframe": {"src"},
    "image": {"href", "xlink:href"},
    "img": {"src", "srcset"},
    "input": {"src"},
    "link": {"href"},
    "object": {"data"},
    "script": {"src"},
    "source": {"src", "srcset"},
    "track": {"src"},
    "use": {"href", "xlink:href"},
    "video": {"src", "poster"},
}
"""Attributes by whose value a browser loads something, by tag."""

ONLY_LINKS = {"author", "canonical", "help", "license", "next", "prev", "search"}
"""What a `link` may be without being loaded."""

FOREIGN = re.compile(r"(?:https?:)?//[\w.-]+\.\w")
IN_STYLE = re.compile(r"""(?:url\(|@import)\s*["']?\s*((?:https?:)?//[^"')\s]+)""")
IN_SCRIPT = re.compile(r"""["'`]((?:https?:)?//[^"'`\s]+\.(?:m?js|css|json|woff2?|ttf))["'`?]""")


class Page(HTMLParser):
    """Notes what a page loads from other hosts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes of a tag."""
        values = dict(attrs)
        self._inside = tag
        if tag == "link" and {*(values.get("rel") or "").split()} <= ONLY_LINKS:
            return
        loaded = (values.get(name) or "" for name in LOADS.get(tag, ()))
        self.found += [value for value in loaded if FOREIGN.match(value.strip())]
        self.found += IN_STYLE.findall(values.get("style") or "")

    def handle_data(self, data: str) -> None:
        """Look at styles and scripts within the page."""
        if self._inside == "style":
            self.found += IN_STYLE.findall(data)
        elif self._inside == "script":
            self.found += IN_SCRIPT.findall(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave a tag."""
        self._inside = ""


def foreign(path: Path) -> list[str]:
    """Return what a page, a style sheet or a script loads from other hosts."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".css":
        return IN_STYLE.findall(text)
    if path.suffix in (".js", ".mjs"):
        return IN_SCRIPT.findall(text)
    page = Page()
    page.feed(text)
    return page.found


def all_foreign(folder: Path) -> Iterator[str]:
    """Yield a line for each thing that built pages load from other hosts."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".html", ".css", ".js", ".mjs"):
            for address in foreign(path):
                yield f"{path.relative_to(folder)}: {address}"


if __name__ == "__main__":
    lines = list(all_foreign(Path(sys.argv[1])))
    print("\n".join(lines) or "no page asks another host for anything")
    sys.exit(bool(lines))
