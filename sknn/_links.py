"""Where the documentation is: notebooks link to it."""

from __future__ import annotations

import sys

DOCUMENTATION = "https://sknn.readthedocs.io/en/stable"
"""The address of the pages."""

PAGE = "{base}/generated/{path}.html"
"""The address of a class's page."""

ROOMS = frozenset(
    {
        "activations",
        "augmentation",
        "averaging",
        "dask",
        "initializers",
        "layers",
        "losses",
        "model_selection",
        "optimizers",
        "penalties",
        "schedules",
        "tabular",
    }
)
"""Whose classes have pages; of the others those that stand in the package itself."""

WITHOUT_PAGE = frozenset(
    {
        "ActivationLayer",
        "Affine",
        "BatchNorm",
        "Custom",
        "Dropout",
        "Features",
        "Grouped",
        "LabelWeighted",
        "LayerNorm",
        "Residual",
        "ScaledLinear",
    }
)
"""Components that estimators make of what users choose by other words."""


def page_of(cls: type) -> str:
    """Return the address of the page about a class.

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    str
        The address, or "" for a class that has no page.
    """
    package, _, rest = cls.__module__.partition(".")
    room = rest.partition(".")[0]
    for module in (package, f"{package}.{room}"):
        if getattr(sys.modules.get(module), cls.__name__, None) is not cls:
            continue
        if module == package or (room in ROOMS and cls.__name__ not in WITHOUT_PAGE):
            return PAGE.format(base=DOCUMENTATION, path=f"{module}.{cls.__name__}")
    return ""


class Linked:
    """Mixin of estimators whose diagrams in notebooks link to our pages.

    scikit-learn reads these attributes. It makes no link for classes of other packages, so users'
    own ones have none.
    """

    _doc_link_module = "sknn"
    _doc_link_template = "{page}"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        return {"page": page_of(type(self))}
