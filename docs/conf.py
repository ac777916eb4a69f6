"""How Sphinx builds the documentation; before it does, the examples draw their figures."""

import os
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(ROOT))

import sknn  # noqa: E402

project = "sknn"
author = "The sknn developers"
copyright = author
version = release = sknn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
exclude_patterns = ["_build", "figures", "generated"]
default_role = "code"
highlight_language = "python"

# A method that overrides one of its contract is documented there, once.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "pydata_sphinx_theme"
html_title = f"sknn {release}"
# Pages of their own need no list of their siblings.
html_sidebars = {
    page: [] for page in ("index", "api", "extending", "benchmarks", "development", "changes")
}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_persistent": [],
    "navbar_end": ["search-button", "theme-switcher"],
    "header_links_before_dropdown": 7,
    "footer_start": ["copyright"],
    "footer_end": [],
}


def draw_figures(app: object) -> None:
    """Run each example whose figure in docs/figures is missing or older than its script."""
    figures = DOCS / "figures"
    figures.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    for script in sorted((ROOT / "examples").glob("*.py")):
        figure = figures / f"{script.stem.removeprefix('plot_')}.png"
        if figure.exists() and figure.stat().st_mtime >= script.stat().st_mtime:
            continue
        print(f"drawing {figure.name}")
        subprocess.run(
            [sys.executable, str(script), str(figures)],
            check=True,
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.DEVNULL,
        )


def setup(app: object) -> None:
    """Have the figures drawn as soon as the builder stands."""
    app.connect("builder-inited", draw_figures)  # type: ignore[attr-defined]
