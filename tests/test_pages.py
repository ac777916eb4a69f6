"""What built pages load from other hosts is found; the builder of the documentation asks for it."""

import pytest

from tests.pages import all_foreign, foreign

PAGE = "<html><head>{head}</head><body>{body}</body></html>"
LOADING = [
    '<script src="https://cdn.example.org/mathjax.js"></script>',
    '<script defer src="//cdn.example.org/a.js"></script>',
    '<link rel="stylesheet" href="https://fonts.example.org/css">',
    '<link rel="preload" as="font" href="https://fonts.example.org/a.woff2">',
    '<img src="https://img.example.org/badge.svg">',
    '<img srcset="https://img.example.org/a.png 2x">',
    '<iframe src="https://www.example.org/"></iframe>',
    "<style>@import 'https://fonts.example.org/css';</style>",
    '<p style="background: url(https://img.example.org/a.png)">',
    '<script>import("https://cdn.example.org/a.mjs")</script>',
    '<script>fetch("https://www.example.org/versions.json?x=1")</script>',
]
LINKING = [
    '<a href="https://scikit-learn.org/stable/">scikit-learn</a>',
    '<link rel="canonical" href="https://www.example.org/">',
    '<script src="../_static/a.js?v=1"></script>',
    '<img src="../_images/a.png">',
    '<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    '<script>const page = "https://www.example.org/page.html";</script>',
    "<p>https://www.example.org/a.js</p>",
]


@pytest.mark.parametrize("tag", LOADING)
def test_what_a_page_loads_from_elsewhere_is_found(tag, tmp_path):
    (tmp_path / "page.html").write_text(PAGE.format(head=tag, body=""), encoding="utf-8")

    assert len(foreign(tmp_path / "page.html")) == 1


@pytest.mark.parametrize("tag", LINKING)
def test_links_and_files_beside_the_page_are_not(tag, tmp_path):
    (tmp_path / "page.html").write_text(PAGE.format(head="", body=tag), encoding="utf-8")

    assert foreign(tmp_path / "page.html") == []


def test_style_sheets_and_scripts_are_looked_at_too(tmp_path):
    (tmp_path / "_static").mkdir()
    style, script = tmp_path / "_static/a.css", tmp_path / "_static/a.js"
    style.write_text("@font-face { src: url('https://fonts.example.org/a.woff2') }")
    script.write_text('load("https://cdn.example.org/b.js"); see("https://www.example.org/")')

    assert list(all_foreign(tmp_path)) == [
        "_static/a.css: https://fonts.example.org/a.woff2",
        "_static/a.js: https://cdn.example.org/b.js",
    ]
