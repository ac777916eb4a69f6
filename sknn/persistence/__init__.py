"""Models in files that anyone may open, and what other tools have to trust."""

from typing import TYPE_CHECKING, Any

from sknn.persistence.files import load, save

if TYPE_CHECKING:
    from sknn.persistence.trust import TRUSTED_TYPES

__all__ = ["TRUSTED_TYPES", "load", "save"]


if not TYPE_CHECKING:  # they would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name == "TRUSTED_TYPES":  # it names all rooms, of which a file needs few
            from sknn.persistence.trust import TRUSTED_TYPES

            return TRUSTED_TYPES
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
