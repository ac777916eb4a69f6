"""How Sphinx builds the documentation; its gallery runs the examples."""

import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path[:0] = [str(ROOT), str(DOCS / "_extensions")]

from inventories import write_inventories  # noqa: E402

import sknn  # noqa: E402
from tests import gallery  # noqa: E402

project = "sknn"
author = "The sknn developers"
copyright = author
version = release = sknn.__version__

extensions = [
    "mathml",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
default_role = "code"
highlight_language = "python"
smartquotes = False
# A reference that leads nowhere is an error. Attributes that are properties are described where
# they are named.
nitpicky = True
nitpick_ignore_regex = [("py:obj", r"\w+_|shape|feature_names|y|sample_weight")]

# Pages of names are made anew, so that none stays whose name or template has changed.
shutil.rmtree(DOCS / "generated", ignore_errors=True)
autosummary_generate = True
toc_object_entries_show_parents = "hide"
# A method that overrides one of its contract is documented there, once.
autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False

# No build asks another host for anything, and no page does: names of other projects come from
# inventories that are written here, formulas are MathML.
intersphinx_mapping = write_inventories(DOCS / "_build" / "inventories")
html_math_renderer = "mathml"

copybutton_exclude = ".linenos, .gp, .go"
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"sknn {release}"
html_static_path = ["_static"]
html_css_files = ["sknn.css"]
# Pages of their own need no list of their siblings.
html_sidebars = {
    page: []
    for page in (
        "index",
        "install",
        "which_tool",
        "faq",
        "migrating",
        "citing",
        "extending",
        "benchmarks",
        "development",
        "changes",
    )
}
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "navbar_align": "left",
    "navbar_persistent": [],
    "navbar_end": ["search-button", "theme-switcher", "navbar-icon-links"],
    "header_links_before_dropdown": 7,
    "icon_links": [
        {
            "name": "Source and issues",
            "url": "https://github.com/sknn/sknn",
            "icon": "fa-brands fa-github",
        }
    ],
    "footer_start": ["copyright"],
    "footer_end": [],
    "show_toc_level": 2,
}

SECTIONS = [
    "networks",
    "learning_rate",
    "watching",
    "searches",
    "tables",
    "large",
    "explaining",
    "keeping",
]

sphinx_gallery_conf = {
    "examples_dirs": str(gallery.EXAMPLES),
    "gallery_dirs": "gallery",
    "subsection_order": [f"../examples/{section}" for section in SECTIONS],
    "within_subsection_order": "FileNameSortKey",
    "filename_pattern": r"\.py$",
    "backreferences_dir": "generated/backreferences",
    "doc_module": ("sknn",),
    "reference_url": {"sknn": None},
    "inspect_global_variables": True,
    "reset_modules": ("matplotlib", "strictness.set_warnings"),
    "reset_modules_order": "both",
    "abort_on_example_error": True,
    # md5 sums tell which examples have changed; what they call may have, too.
    "run_stale_examples": not gallery.is_current(),
    "remove_config_comments": True,
    "show_signature": False,
    "show_memory": False,
    "write_computation_times": False,
    "min_reported_time": 60,
}


def note_sources(app: object, exception: Exception | None) -> None:
    """Note of which sources all examples have run."""
    if exception is None and app.config.sphinx_gallery_conf["plot_gallery"]:  # type: ignore[attr-defined]
        gallery.RECORD.write_text(gallery.digest(), encoding="utf-8")


def setup(app: object) -> None:
    """Have it noted when the pages are complete."""
    app.connect("build-finished", note_sources)  # type: ignore[attr-defined]
