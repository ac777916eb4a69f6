"""Formulas as MathML, written by the build: no reader needs a script or a network."""

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

LEFT_OVER = re.compile(r"\\[a-zA-Z]+")
"""A command of LaTeX in what should be MathML: one that the converter does not know."""

WORD = re.compile(r"<m([io])>([a-z]{2,})</m\1>((?:</m\w+>)*<mo stretchy=\"false\">&#x00028;)?")
"""The name of a function, and the bracket after it if there is one."""


def space_word(match: re.Match[str]) -> str:
    """Return the name of a function as an operator: with thin spaces, but none before a bracket."""
    after = "0" if match[3] else "0.167em"
    return f'<mo lspace="0.167em" rspace="{after}">{match[2]}</mo>{match[3] or ""}'


def to_mathml(tex: str, display: str, node: nodes.Node) -> str:
    """Return MathML of a formula; several lines, or columns, are aligned."""
    if (r"\\" in tex or "&" in tex) and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    mathml = WORD.sub(space_word, convert(tex, display=display))
    mathml = mathml.replace("<mo>&#x02016;</mo>", '<mo stretchy="false">&#x02016;</mo>')
    unknown = LEFT_OVER.findall(mathml)
    if unknown:
        LOGGER.warning("%s cannot be written as MathML: %s", unknown, tex, location=node)
    return mathml


def visit_math(translator: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(to_mathml(node.astext(), "inline", node))
    raise nodes.SkipNode


def visit_displaymath(translator: Any, node: nodes.math_block) -> None:
    """Write a formula that has lines of its own; each paragraph of its source is one."""
    for tex in re.split(r"\n\s*\n", node.astext().strip()):
        translator.body.append(f'<div class="math">{to_mathml(tex, "block", node)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Offer the renderer to the builder."""
    app.add_html_math_renderer("mathml", (visit_math, None), (visit_displaymath, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
