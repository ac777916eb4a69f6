"""The energy that training takes: measured where the machine tells, else estimated.

Every fit is metered; :func:`metering` says how.
"""

from __future__ import annotations

import math
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from numbers import Real
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from sknn._constraints import Interval, InvalidParameterError

WATTS_PER_CORE = 12.0
"""What a busy core is assumed to take if nobody says otherwise: about the mean of the processors
that Lannelongue et al. (2021) list by power and cores."""

POWERCAP = Path("/sys/class/powercap")
"""Where Linux has the counters of processors."""

PACKAGE = re.compile(r"intel-rapl:\d+")
"""The name of a counter of a whole package; AMD's have it, too."""

RANGE = "max_energy_range_uj"

JOULES_PER_KWH = 3.6e6


class Meter(ABC):
    """Contract of a meter.

    Attributes
    ----------
    source : str
        Where its numbers come from, in words.
    """

    source: str

    @abstractmethod
    def begin(self) -> Any:
        """Return what `end` needs to know of now."""

    @abstractmethod
    def end(self, begin: Any, cpu_seconds: float) -> float:
        """Return the joules since `begin`, in which so many CPU seconds have been used."""


class Estimate(Meter):
    """CPU seconds times what a core is assumed to take.

    Parameters
    ----------
    watts_per_core : float
    """

    def __init__(self, watts_per_core: float) -> None:
        self._watts = watts_per_core
        self.source = f"estimated: {watts_per_core:g} W for each busy core"

    def begin(self) -> None:
        return None

    def end(self, begin: None, cpu_seconds: float) -> float:
        return self._watts * cpu_seconds


class Counters(Meter):
    """The machine's own counters, which are those of whole packages: all that runs there counts.

    Parameters
    ----------
    root : Path, default=POWERCAP
        The folder of the counters.
    """

    source = "measured: counters of the whole processor package, other programs included"

    def __init__(self, root: Path = POWERCAP) -> None:
        packages = sorted(p for p in root.glob("intel-rapl:*") if PACKAGE.fullmatch(p.name))
        found: dict[Any, Path] = {}
        for package in packages:
            if _name_of(package).startswith("package"):  # others have packages within
                reading = [(package / name).read_text() for name in ("energy_uj", RANGE)]
                found.setdefault(tuple(reading), package)  # of two that are equal one mirrors
        self._counters = [package / "energy_uj" for package in found.values()]
        self._ranges = [int((package / RANGE).read_text()) for package in found.values()]

    def begin(self) -> list[int]:
        return [int(counter.read_text()) for counter in self._counters]

    def end(self, begin: list[int], cpu_seconds: float) -> float:
        pairs = zip(begin, self.begin(), self._ranges, strict=True)
        # A counter begins again at 0 behind its range.
        return sum((now - then) % (most + 1) for then, now, most in pairs) / 1e6

    @property
    def is_there(self) -> bool:
        """Whether there is a counter at all."""
        return bool(self._counters)


class Codecarbon(Meter):
    """The offline tracker of codecarbon; what it cannot follow is estimated.

    Parameters
    ----------
    fallback : Meter
        For fits that run beside each other: the tracker knows one task at a time.
    **options
        Of :class:`codecarbon.OfflineEmissionsTracker`.
    """

    source = "measured: codecarbon, whole machine"

    def __init__(self, fallback: Meter, **options: Any) -> None:
        try:
            from codecarbon import OfflineEmissionsTracker
        except ImportError as error:
            raise ImportError(
                "metering('codecarbon') needs codecarbon: pip install codecarbon."
            ) from error
        quiet = {"save_to_file": False, "log_level": "error"}
        self._tracker = OfflineEmissionsTracker(**(quiet | options))
        self._fallback, self._lock = fallback, threading.Lock()

    def begin(self) -> Any:
        if not self._lock.acquire(blocking=False):
            return None
        self._tracker.start_task()
        return self

    def end(self, begin: Any, cpu_seconds: float) -> float:
        if begin is None:
            return self._fallback.end(None, cpu_seconds)
        try:
            return float(self._tracker.stop_task().energy_consumed) * JOULES_PER_KWH
        finally:
            self._lock.release()


POSITIVE = Interval(Real, 0, math.inf, "neither")


def _name_of(package: Path) -> str:
    """Return what a counter is called; as those of packages where it has no name."""
    name = package / "name"
    return name.read_text().strip() if name.exists() else "package"


Source: TypeAlias = Literal["auto", "counters", "estimate", "codecarbon"]

SOURCES = get_args(Source)

_METER: ContextVar[Meter | None] = ContextVar("sknn_meter", default=None)


def current_meter() -> Meter:
    """Return the meter of fits that begin now."""
    return _METER.get() or _default_meter()


_DEFAULT: list[Meter] = []


def _default_meter() -> Meter:
    """Return the counters if they can be read, else an estimate; found out once."""
    if not _DEFAULT:
        _DEFAULT.append(_choose("auto", WATTS_PER_CORE))
    return _DEFAULT[0]


def _choose(source: str, watts_per_core: float, **options: Any) -> Meter:
    estimate = Estimate(watts_per_core)
    if source == "codecarbon":
        return Codecarbon(estimate, **options)
    if source == "estimate":
        return estimate
    try:
        counters = Counters()
        if counters.is_there:
            counters.begin()
            return counters
        reason = f"{POWERCAP} has no counters of this processor"
    except OSError as error:  # many systems let only root read them
        reason = str(error)
    if source == "counters":
        raise OSError(f"The energy counters cannot be read: {reason}.")
    return estimate


@contextmanager
def metering(
    source: Source = "auto", *, watts_per_core: float = WATTS_PER_CORE, **options: Any
) -> Iterator[None]:
    r"""Say how the energy of fits is measured within a ``with`` block.

    Where nothing can be measured it is estimated as

    .. math:: E = P \, t

    with the CPU seconds t and the power P of a busy core.

    Parameters
    ----------
    source : {"auto", "counters", "estimate", "codecarbon"}, default="auto"
        Where it is read: from the counters of the processor packages (Linux; often only root may),
        an estimate from CPU seconds, or codecarbon's offline tracker, if it is installed. "auto"
        takes the counters where they can be read and else estimates, as outside of any block.
    watts_per_core : float, default=12.0
        What a busy core takes, in watts, positive; for estimates.
    **options
        For codecarbon's tracker, such as ``country_iso_code="DEU"``.

    Yields
    ------
    None
        The context has no object of its own.

    Raises
    ------
    OSError
        If ``source="counters"`` and they cannot be read.
    ImportError
        If ``source="codecarbon"`` is not installed.

    See Also
    --------
    sknn.ledger.TrainingReport : What the meter's joules become a part of.
    sknn.model_selection.per_watt_hour : Scores that are divided by the energy.
    sknn.model_selection.neg_training_cost : The cost itself as a score.

    References
    ----------
    Lannelongue, L., Grealey, J. and Inouye, M., "Green Algorithms: Quantifying the carbon footprint
    of computation", Advanced Science 8 (2021).

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.preprocessing import scale
    >>> import sknn
    >>> X, y = load_wine(return_X_y=True)
    >>> with sknn.metering("estimate", watts_per_core=5):
    ...     net = sknn.MLPClassifier(max_iter=300, random_state=0)
    ...     net = net.fit(scale(X), y)
    >>> net.training_report_.energy_source
    'estimated: 5 W for each busy core'
    """
    if source not in SOURCES:
        raise InvalidParameterError(
            f"source must be one of {', '.join(map(repr, SOURCES))}; got {source!r}."
        )
    if not POSITIVE.accepts(watts_per_core):
        raise InvalidParameterError(f"watts_per_core must be {POSITIVE}; got {watts_per_core!r}.")
    if options and source != "codecarbon":
        raise InvalidParameterError(
            f"{next(iter(options))} is an option of codecarbon; the source is {source!r}."
        )
    token = _METER.set(_choose(source, float(watts_per_core), **options))
    try:
        yield
    finally:
        _METER.reset(token)
