"""The shards on a cluster, and how they are asked for something."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

import numpy as np
from dask import config, delayed, is_dask_collection
from distributed import (
    Client,
    Future,
    LocalCluster,
    default_client,
    get_worker,
    worker_client,
)

from sknn._constraints import InvalidParameterError
from sknn._math import Array, even_slices
from sknn._warn import warn
from sknn.dask.shards import (
    REMEDY,
    Plan,
    Summary,
    Survey,
    deal,
    make_piece,
    make_shard,
    summarize,
    survey,
)
from sknn.dask.tasks import Judgement, carry, judge
from sknn.network import CHUNK, Network
from sknn.samples import Dense, Samples
from sknn.targets import Targets
from sknn.training import Judge

ROWS_PER_SHARD = 50_000
"""The number of shards follows from the rows alone: so the result is that of any cluster."""

MAX_SHARDS = 128

ROWS_PER_STEP = 25
"""So many rows a shard has of a batch at least, with batch_size="auto"."""

LIGHT = 1_000_000
"""Bytes that travel as an argument of each task: to hand them out by a task of its own would take
another round trip."""

N_HELD = 16
"""So many results are let go at once: each time delays by up to 10 ms what is sent after it."""

QUIET = {"distributed.admin.large-graph-warning-threshold": "10GB"}
"""Parameters travel with the tasks, each time: that is what is meant."""


@contextmanager
def connected(client: Any) -> Iterator[Client]:
    """Yield a client: the given one, the current one, or that of a cluster on this machine."""
    if _is_in_task():
        with worker_client() as own:  # others may work in this thread, while it waits for them
            yield own if client is None else client
        return
    if client is None:
        try:
            client = default_client()
        except ValueError:  # there is none
            warn(
                "There is no Dask client: a LocalCluster is started for the time of fit. Make a "
                "client = distributed.Client(...) before, to choose where it is trained."
            )
            with LocalCluster(dashboard_address=":0") as cluster, Client(cluster) as own:
                yield own
            return
    if getattr(client, "asynchronous", False):
        raise InvalidParameterError(
            "client is asynchronous; fit waits for its results and needs one that is not. Run fit "
            "in a thread of its own, with a client that is made there."
        )
    if client.status in ("closing", "closed"):
        raise InvalidParameterError(
            f"client={client!r} is closed. Set one that is not, or None for the current one."
        )
    yield client


def _is_in_task() -> bool:
    """Whether the caller is a task on a worker."""
    try:
        get_worker()
    except ValueError:
        return False
    return True


def is_lazy(value: Any) -> bool:
    """Whether a value is a Dask Array, DataFrame or Series."""
    # Of a Delayed any attribute can be had, and a Bag has no axes.
    is_cut = is_dask_collection(value) and hasattr(type(value), "to_delayed")
    return is_cut and hasattr(value, "ndim")


def check_features(X: Any) -> None:
    """Raise ValueError unless a collection has two axes, and its features are counted."""
    if X.ndim != 2:
        raise ValueError(
            f"X must have two axes, samples and features; it has {X.ndim}. Use X.reshape(-1, 1) or "
            "df[[name]] for a single feature, X[:, :, 0] or X.reshape(len(X), -1) for more axes."
        )
    if isinstance(X.shape[1], float):
        raise ValueError(
            "The number of features of X is not known. Find it with X.compute_chunk_sizes()."
        )


def gathered(client: Client, futures: list[Future]) -> list[Any]:
    """Return what futures give; after an error, or Ctrl-C, nobody wants them any more."""
    try:
        found: list[Any] = client.gather(futures)
    except CancelledError as error:
        client.cancel(futures)
        raise RuntimeError(
            f"Something that X, y or sample_weight are made of is not on the cluster any more: "
            f"{error}. It was scattered, or persisted and let go; or Dask has persisted some "
            "columns of Parquet files, of which it loses track. Persist the whole table before "
            "columns are chosen, or none of it."
        ) from error
    except BaseException:
        client.cancel(futures)
        raise
    return found


class Partitions:
    """X, y and weights as partitions of the same rows.

    Parameters
    ----------
    X, y : dask Array or DataFrame
    sample_weight : dask Array or Series, or None
    """

    def __init__(self, X: Any, y: Any, sample_weight: Any) -> None:
        given = {"X": X, "y": y, "sample_weight": sample_weight}
        given = {name: value for name, value in given.items() if value is not None or name == "y"}
        for name, value in given.items():
            if not is_lazy(value):
                raise TypeError(
                    f"{name} must be a Dask Array or DataFrame, got {type(value).__name__}. What "
                    "is in memory is trained on by MLPClassifier and MLPRegressor; or make a Dask "
                    "Array of it with dask.array.from_array(...)."
                )
        self.parts = {name: _partitions(value) for name, value in given.items()}
        counts = {name: len(parts) for name, parts in self.parts.items()}
        if len(set(counts.values())) > 1:
            found = ", ".join(f"{name} has {n}" for name, n in counts.items())
            raise ValueError(f"The numbers of partitions differ: {found}. {REMEDY}")

    def of(self, p: int) -> tuple[Any, Any, Any]:
        """Return X, y and weights of a partition."""
        weights = self.parts.get("sample_weight")
        return self.parts["X"][p], self.parts["y"][p], None if weights is None else weights[p]

    def __len__(self) -> int:
        return len(self.parts["y"])

    def surveys(self, client: Client, are_numbers: bool) -> list[Survey]:
        """Return what each partition of y says."""
        look = delayed(survey, pure=False)
        tasks = [look(*self.of(p)[1:], are_numbers) for p in range(len(self))]
        return gathered(client, client.compute(tasks))


def _partitions(collection: Any) -> list[Any]:
    if hasattr(collection, "chunks") and collection.ndim == 2 and len(collection.chunks[1]) > 1:
        collection = collection.rechunk({1: -1})
    # As it is: what Dask makes of files depends on the columns, and would not be alike for X and y.
    return list(np.ravel(collection.to_delayed(optimize_graph=False)))


def in_turn(jobs: list[tuple[Any, ...]], function: Callable[..., Any], *common: Any) -> list[Any]:
    """Do something for some shards, one after the other."""
    return [function(*own, *common) for own in jobs]


class Fleet:
    """Shards on a cluster.

    Parameters
    ----------
    client : Client
    partitions : Partitions
    n_rows : list of int
        The rows of each partition.
    n_shards : int
    plan : Plan

    Attributes
    ----------
    summaries : list of Summary
        What is known of the shards.
    n_train, n_held_out : int
        The rows that are trained on, and those that are held out.
    """

    def __init__(
        self,
        client: Client,
        partitions: Partitions,
        n_rows: list[int],
        n_shards: int,
        plan: Plan,
    ) -> None:
        self.client, self._name = client, uuid.uuid4().hex[:12]
        self._count = itertools.count()
        self._held: list[list[Future]] = []
        self._is_light = True
        self._lots = [[number] for number in range(n_shards)]
        make, cut = delayed(make_shard, pure=False), delayed(make_piece, pure=False)
        shards = []
        for number, hand in enumerate(deal(n_rows, n_shards)):
            pieces = [cut(*partitions.of(p), n_rows[p], rows, plan.dtype) for p, rows in hand]
            shards.append(make(pieces, number, plan))
        self.shards: list[Future] = client.compute(shards)
        few = -(-CHUNK // n_shards)
        try:
            self.summaries: list[Summary] = self.ask(summarize, few)
            self.n_train = sum(summary.n_train for summary in self.summaries)
            self.n_held_out = sum(summary.n_held_out for summary in self.summaries)
            self._check_weights()
            self.arrange()
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Let the cluster forget the shards, whoever still holds this."""
        self._held.clear()
        self.client.cancel(self.shards)

    def _check_weights(self) -> None:
        train = sum(summary.w_train for summary in self.summaries)
        held_out = sum(summary.w_held_out for summary in self.summaries)
        if not 0 < train < np.inf or (self.n_held_out and not 0 < held_out < np.inf):
            raise ValueError(
                f"The weights of the rows to train on have the sum {train:g}, and those of the "
                f"{self.n_held_out} rows that are held out {held_out:g}; a sum must be above 0, "
                "and finite. They are sample_weight times class_weight."
            )

    def submit(self, function: Callable[..., Any], *arguments: Any) -> Future:
        """Begin a task of its own name."""
        key = f"{function.__name__}-{self._name}-{next(self._count)}"
        return self.client.submit(function, *arguments, key=key, pure=False)

    def ask(
        self,
        function: Callable[..., Any],
        *common: Any,
        own: Callable[[int], tuple[Any, ...]] | None = None,
        numbers: Sequence[int] | None = None,
    ) -> list[Any]:
        """Return what a function of each shard gives, in the order of the shards.

        Parameters
        ----------
        function : callable
            ``function(shard, *own, *common)``.
        *common : object
            Arguments for all shards.
        own : callable, default=None
            Returns those for the shard of a number.
        numbers : sequence of int, default=None
            Which shards are asked; None for all.
        """
        numbers = range(len(self.shards)) if numbers is None else numbers
        asked = set(numbers)
        lots = [[number for number in lot if number in asked] for lot in self._lots]
        lots = [lot for lot in lots if lot]
        jobs = [[(self.shards[n], *(own(n) if own else ())) for n in lot] for lot in lots]
        columns = [[argument] * len(jobs) for argument in (function, *common)]
        keys = [f"{function.__name__}-{self._name}-{next(self._count)}" for _ in jobs]
        with config.set(QUIET):
            futures = self.client.map(in_turn, jobs, *columns, key=keys, pure=False)
            answers = gathered(self.client, futures)
        self._held.append(futures)
        if len(self._held) > N_HELD or not self._is_light:
            self._held.clear()
        pairs = zip(itertools.chain(*lots), itertools.chain(*answers), strict=True)
        found: dict[int, Any] = dict(pairs)
        return [found[number] for number in numbers]

    def arrange(self) -> None:
        """Choose which shards are asked in one task.

        A task takes the scheduler longer than small shards take a worker. So there are as many of
        them as the workers have threads, with the shards that lie there. What they give is that of
        each shard, whoever is asked with it.
        """
        threads = {worker: n for worker, n in self.client.nthreads().items() if n}
        holders = self.client.who_has(self.shards)
        lots: dict[str, list[list[int]]] = {w: [[] for _ in range(n)] for w, n in threads.items()}
        everyone = [lot for of_worker in lots.values() for lot in of_worker]
        if not everyone:  # workers are still to come
            return
        most = -(-len(self.shards) // len(everyone))
        for number, shard in enumerate(self.shards):
            places = [lot for w in holders.get(shard.key, ()) for lot in lots.get(w, ())]
            lot = min(places, key=len, default=everyone[0])
            if not places or len(lot) == most:  # somebody else has nothing to do
                lot = min(everyone, key=len)
            lot.append(number)
        self._lots = [lot for lot in everyone if lot]

    def share(self, value: Any, n_bytes: int) -> Any:
        """Return what stands for a value among the arguments of a task of each shard.

        What is large travels to the cluster once.
        """
        self._is_light = n_bytes * len(self.shards) <= LIGHT
        if self._is_light:
            return value
        with config.set(QUIET):
            return self.submit(carry, value)

    def batch_sizes(self, batch_size: int) -> list[int]:
        """Return how many rows of a batch each shard has."""
        n_shards = len(self.shards)
        return [share.stop - share.start for share in even_slices(batch_size, n_shards)]

    def few(self, dtype: Any) -> tuple[Sharded, Array, Array | None]:
        """Return a few rows that stand for all, with their targets and given weights."""
        # In turn, as they have been dealt out.
        places = np.concatenate([np.arange(len(s.X)) for s in self.summaries])
        order = np.argsort(places, kind="stable")
        X, y, given = (
            None if parts[0] is None else np.concatenate(parts)[order]
            for parts in zip(*((s.X, s.y, s.given) for s in self.summaries), strict=True)
        )
        assert X is not None
        assert y is not None
        return Sharded(X, self), y, given


class Sharded(Dense):
    """A few rows, of all that are on a cluster.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    fleet : Fleet
    """

    def __init__(self, X: Array, fleet: Fleet) -> None:
        super().__init__(X)
        self.fleet, self.n_elsewhere = fleet, fleet.n_train

    def astype(self, dtype: Any) -> Samples:
        return self if self.dtype == dtype else Sharded(np.asarray(self._matrix, dtype), self.fleet)

    def in_order(self) -> Samples:
        return self

    def described(self) -> dict[str, Any]:
        return {"shards": [summary.fingerprint for summary in self.fleet.summaries]}


class FleetJudge(Judge):
    """Validates on the held-out rows of all shards.

    Parameters
    ----------
    fleet : Fleet
    center : ndarray of shape (n_outputs,)
        About the mean of the targets.
    """

    def __init__(self, fleet: Fleet, center: Array) -> None:
        self._fleet, self._center = fleet, center
        self.n_samples = fleet.n_held_out

    def judge(
        self, network: Network, targets: Targets, scoring: Any, theta: Array
    ) -> tuple[float, float]:
        fleet = self._fleet
        arguments = network, targets, self._center
        carried = fleet.share(theta, theta.nbytes)
        parts: list[Judgement] = fleet.ask(judge, *arguments, carried)
        whole = parts[0]
        for part in parts[1:]:
            whole = whole.plus(part)
        with np.errstate(all="ignore"):
            n_targets = network.n_outputs // targets.loss.raw_per_target
            loss = whole.loss / whole.weight / targets.loss.reported_divisor(n_targets)
            if scoring is not None:
                return -loss, loss
            return whole.r2() if targets.are_numbers else whole.accuracy(), loss
