"""Code that readers see fits its column: nobody scrolls, on a page or in a notebook."""

import doctest
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import sknn

ROOT = Path(sknn.__file__).parent.parent
DOCS = ROOT / "docs"
BUILT = {"_build", "gallery", "generated"}
"""Folders of docs that a build writes."""

COLUMNS = 76
"""What the column of a page holds, prompts included."""

OPENS_CODE = re.compile(
    r"\.\. (code-block|code|sourcecode|parsed-literal|testcode)::|(?!\.\. ).*::$"
)


def indentation(line):
    return len(line) - len(line.lstrip())


def find_code_in_rst(text):
    """Yield number and line of all code in a text: doctests, code blocks and literal blocks.

    Lines are without the indentation of their block.
    """
    prompt = block = start = None
    for number, line in enumerate(text.splitlines(), 1):
        stripped, indent = line.strip(), indentation(line)
        if block is not None and (not stripped or indent > block):
            if stripped and start is None:
                start = None if stripped.startswith(":") else indent
            if stripped and start is not None:
                yield number, line[start:].rstrip()
            continue
        block = None
        if stripped.startswith(">>>"):
            prompt = indent
        if not stripped:
            prompt = None
        elif prompt is not None:
            yield number, line[prompt:].rstrip()
        elif OPENS_CODE.match(stripped):
            block, start = indent, None


def find_code_in_markdown(text):
    """Yield number and line of all code in a text, fenced or indented by four spaces."""
    is_fenced, is_free = False, True
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("```"):
            is_fenced = not is_fenced
        elif is_fenced:
            yield number, line
        elif is_free and line.startswith("    "):
            yield number, line[4:]
        is_free = not line.strip() or (is_free and line.startswith("    "))


def find_wide(lines):
    """Return those of numbered lines that do not fit, with their widths."""
    return [f"{number}: {len(line)}: {line}" for number, line in lines if len(line) > COLUMNS]


def id_of(path):
    return str(path.relative_to(ROOT))


PAGES = [
    path for path in sorted(DOCS.rglob("*.rst")) if not BUILT & {*path.relative_to(DOCS).parts}
]
EXAMPLES = sorted((ROOT / "examples").rglob("*.py"))
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages(sknn.__path__, "sknn.")
    if not re.search(r"\._", name)
]


LONG = "x" * (COLUMNS + 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f">>> f({LONG})\n1", [1]),
        (f">>> f()\n{LONG}\n\n{LONG}", [2]),
        (f"- An item:\n\n  >>> if x:\n  ...     {LONG}", [4]),
        (f".. code-block:: text\n   :caption: x\n\n   {LONG}\n\n   {LONG}\n\n{LONG}", [4, 6]),
        (f"As follows::\n\n    x\n    {LONG}", [4]),
        (f">>> {LONG[5:]}\n\n    >>> {LONG[5:]}", []),
        (f".. math::\n\n   {LONG}\n\n.. figure:: x.png\n   :alt: {LONG}", []),
    ],
)
def test_wide_code_in_rst_would_be_found(text, expected):
    found = find_wide(find_code_in_rst(text))

    assert [int(line.split(":")[0]) for line in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"```python\n{LONG}\n```\n{LONG}", [2]),
        (f"Text:\n\n    {LONG}\n    x", [3]),
        (f"- An item that goes on\n    {LONG}", []),
    ],
)
def test_wide_code_in_markdown_would_be_found(text, expected):
    found = find_wide(find_code_in_markdown(text))

    assert [int(line.split(":")[0]) for line in found] == expected


def test_there_is_something_to_look_at():
    assert len(PAGES) > 20
    assert len(EXAMPLES) > 20
    assert {"sknn.estimators.classifier", "sknn.losses.regression"} <= {*MODULES}


@pytest.mark.parametrize("path", PAGES, ids=id_of)
def test_code_on_pages_fits_its_column(path):
    assert find_wide(find_code_in_rst(path.read_text())) == []


def test_code_in_the_readme_fits_its_column():
    assert find_wide(find_code_in_markdown((ROOT / "README.md").read_text())) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=id_of)
def test_examples_fit_their_column(path):
    assert find_wide(enumerate(path.read_text().splitlines(), 1)) == []


@pytest.mark.parametrize("name", ["sknn", *MODULES])
def test_code_in_public_docstrings_fits_its_column(name):
    found = doctest.DocTestFinder(exclude_empty=False).find(importlib.import_module(name))
    public = [test for test in found if not re.search(r"\._(?!_)", test.name)]

    wide = {
        test.name: find_wide(find_code_in_rst(inspect.cleandoc(test.docstring))) for test in public
    }

    assert {name: lines for name, lines in wide.items() if lines} == {}
