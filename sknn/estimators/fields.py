"""Constructor parameters that are declared once: for signature, checks and documentation."""

from __future__ import annotations

import dataclasses
import inspect
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

from sknn._constraints import Constraint
from sknn.estimators.hints import with_hints
from sknn.estimators.words import Untyped

SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}\n", re.MULTILINE)
"""The title of a section in a docstring."""

QUOTED = re.compile(r"`+[^`]+`+")
"""Code or a formula."""

GLUE = "\0"
"""Stands for a space at which no line ends."""

INDENT = " " * 4

LONG = 50
"""From how many characters on a type is shown by its name."""

WIDTH = 96
"""How long the lines are that the documentation is broken into."""


@dataclasses.dataclass(frozen=True)
class Parameter:
    """What is known of a constructor parameter.

    Parameters
    ----------
    default : object
    type : str
        What kind of value it takes, in words.
    allowed : sequence of Constraint
        The value must be accepted by one of them. Empty if it is checked elsewhere.
    doc : str
        What it means. Line breaks are put in later.
    kw_only : bool
        Whether it can only be given by name.
    annotation : object, default=Any
    written : object, default=Any
        The annotation as it stands in the class: of a union, its name.
    """

    default: Any
    type: str
    allowed: Sequence[Constraint]
    doc: str
    kw_only: bool
    annotation: Any = Any
    written: Any = Any

    def over(self, base: Parameter | None) -> Parameter:
        """Return the parameter with what is left empty as in the base class."""
        if base is None:
            return self
        return dataclasses.replace(
            self,
            type=self.type or base.type,
            allowed=self.allowed or base.allowed,
            doc=self.doc or base.doc,
        )

    @property
    def shown(self) -> Any:
        """The annotation as `help` shows it: of a union of dozens of names its own name."""
        is_long = len(inspect.formatannotation(self.annotation)) > LONG
        return self.written if is_long else self.annotation

    def describe(self, name: str) -> str:
        """Return the entry of the section Parameters."""
        default = f'"{self.default}"' if isinstance(self.default, str) else repr(self.default)
        doc = QUOTED.sub(lambda quoted: quoted[0].replace(" ", GLUE), self.doc)
        lines = textwrap.wrap(doc, WIDTH, break_long_words=False, break_on_hyphens=False)
        text = "".join(f"\n{INDENT}{line}" for line in lines).replace(GLUE, " ")
        return f"{name} : {self.type}, default={default}{text}"


def param(
    *,
    default: Any,
    type: str = "",
    allowed: Sequence[Constraint] = (),
    doc: str = "",
    kw_only: bool = True,
) -> Any:
    """Declare a constructor parameter in the body of a class.

    A class that declares a parameter anew may leave out type, allowed and doc; they are then those
    of its base. The default is always given, since type checkers ask for it.

    Parameters
    ----------
    default, type, allowed, doc, kw_only
        As in `Parameter`.

    Returns
    -------
    Parameter
        What stands for it until the class is made; for type checkers, a value of any type.
    """
    return Parameter(default, type, allowed, doc, kw_only)


class Declared(Untyped):
    """Base of classes whose constructor parameters are declared with `param`."""

    if TYPE_CHECKING:  # what all have in common that stand in a list of estimators
        fit: Any
        predict: Any
        score: Any

    _declared: ClassVar[dict[str, Parameter]] = {}
    _constraints: ClassVar[dict[str, list[Constraint]]] = {}


D = TypeVar("D", bound=Declared)


@dataclass_transform(eq_default=False, kw_only_default=True, field_specifiers=(param,))
def with_parameters(cls: type[D]) -> type[D]:
    """Collect the parameters that a class declares, and those of its base.

    Type checkers give the class the constructor of a dataclass, with all of them. It must not have
    bases they do not know, such as scikit-learn's: mypy would let the constructor take anything.
    """
    annotations, written = inspect.get_annotations(cls, eval_str=True), inspect.get_annotations(cls)
    own = {
        name: dataclasses.replace(value, annotation=annotations[name], written=written[name]).over(
            cls._declared.get(name)
        )
        for name, value in vars(cls).items()
        if isinstance(value, Parameter)
    }
    for name, parameter in own.items():
        setattr(cls, name, parameter.default)
    known = cls._declared | own
    # After what can be given by position, what is special about the class.
    ranks = {name: p.kw_only * (1 if name in own else 2) for name, p in known.items()}
    cls._declared = {name: known[name] for name in sorted(known, key=ranks.__getitem__)}
    cls._constraints = {n: list(p.allowed) for n, p in cls._declared.items() if p.allowed}
    return cls


def estimator(cls: type[D]) -> type[D]:
    """Give a class the constructor and the documentation of its parameters.

    It is no dataclass, though a dataclass writes its constructor: whoever takes a dataclass for
    the sum of its fields, as ``dask.base.tokenize`` does, would hold two estimators for equal
    that have been fitted to different data.

    In the docstring, the section Parameters comes before all others, and the section Attributes
    goes on with that of the next base class that has one.
    """
    # scikit-learn asks for the signature whenever it clones an estimator; here it is noted.
    cls.__init__ = with_hints(_make_constructor(cls))  # type: ignore[method-assign]
    if cls.__doc__ is not None:  # as with python -OO
        cls.__doc__ = _document(cls)
    return cls


def _make_constructor(cls: type[Declared]) -> Callable[..., None]:
    """Return a constructor with an explicit signature, as fast as one written by hand."""
    namespace: dict[str, Any] = {
        "__module__": cls.__module__,
        "__qualname__": cls.__qualname__,
        "__doc__": cls.__doc__,  # without one, a dataclass makes its own
        "__annotations__": {name: p.annotation for name, p in cls._declared.items()},
    }
    for name, p in cls._declared.items():
        namespace[name] = dataclasses.field(default=p.default, kw_only=p.kw_only)
    if hasattr(cls, "__post_init__"):
        namespace["__post_init__"] = cls.__post_init__
    make = dataclasses.dataclass(eq=False, repr=False, match_args=False)
    template: Any = make(type(cls.__name__, (), namespace))
    constructor: Callable[..., None] = template.__init__
    signature = inspect.signature(constructor)
    shown = [
        p.replace(annotation=cls._declared[name].shown) if name in cls._declared else p
        for name, p in signature.parameters.items()
    ]
    known: Any = constructor
    known.__signature__ = signature.replace(parameters=shown)
    return constructor


def _document(cls: type[Declared]) -> str:
    """Return the docstring of a class with its parameters and the attributes of its bases."""
    summary, sections = split_sections(cls.__doc__)
    declared = [base for base in cls.__mro__[1:] if issubclass(base, Declared)]
    inherited = (split_sections(base.__doc__)[1].get("Attributes") for base in declared)
    attributes = sections.pop("Attributes", None), next(filter(None, inherited), None)
    sections = {
        "Parameters": "\n".join(p.describe(name) for name, p in cls._declared.items()),
        "Attributes": "\n".join(filter(None, attributes)),
        **sections,
    }
    return join_sections(summary, sections)


def split_sections(docstring: str | None) -> tuple[str, dict[str, str]]:
    """Return what stands above the sections of a docstring, and the sections by title."""
    summary, *parts = SECTION.split(inspect.cleandoc(docstring or ""))
    texts = (text.strip("\n") for text in parts[1::2])
    return summary.strip("\n"), dict(zip(parts[::2], texts, strict=True))


def join_sections(summary: str, sections: dict[str, str]) -> str:
    """Return a docstring; sections without a text are left out."""
    texts = (f"{title}\n{'-' * len(title)}\n{text}" for title, text in sections.items() if text)
    return "\n\n".join((summary, *texts)) + "\n"
