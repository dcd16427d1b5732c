"""The cases of an eval, wherever they come from: a list, a function, a generator, a dataset, an experiment."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Any, TypeAlias

BATCH = 200
"""Cases that are read from a stream at once."""


@dataclass(slots=True)
class EvalCase:
    """One thing to try.

    EvalCase(input="17 + 4", expected="21", metadata={"area": "arithmetic"})
    """

    input: Any
    """What the task is given; the same input in two experiments is the same case."""
    expected: Any = None
    """The answer it should be, where one is known."""
    metadata: dict[str, Any] = field(default_factory=dict)
    """Anything worth slicing by later."""
    tags: list[str] = field(default_factory=list)
    id: str | None = None
    """Id of the dataset row it comes from."""
    _xact_id: str | None = None
    """Version of that row."""
    created: str | None = None
    origin: dict[str, Any] | None = None
    """The row it was copied from; filled in for rows of a dataset."""
    trial_count: int | None = None
    """How often to try this case; None leaves it to the eval."""


@dataclass(frozen=True, slots=True)
class BaseExperiment:
    """The rows of an earlier experiment as cases, its outputs as what is expected, for hill climbing.

    Eval("support", data=BaseExperiment(), task=answer, scores=[Battle])
    """

    name: str | None = None
    """Experiment to start from; None takes the one that this eval is compared with."""


Data: TypeAlias = (
    Iterable[EvalCase | Mapping[str, Any]]
    | AsyncIterable[EvalCase | Mapping[str, Any]]
    | BaseExperiment
    | Callable[[], Any]
)

_FIELDS = frozenset(each.name for each in fields(EvalCase))
_FIELDS_BESIDE_INPUT = _FIELDS - {"input"}


async def resolve_data(data: Any) -> Any:
    """What `data` stands for: functions are called and awaited until there is something to iterate."""
    while True:
        if inspect.isawaitable(data):
            data = await data
        elif isinstance(data, type) and issubclass(data, BaseExperiment):
            data = data()
        elif callable(data) and not hasattr(data, "__iter__") and not hasattr(data, "__aiter__"):
            data = await asyncio.to_thread(data) if not _is_async(data) else data()
        else:
            break
    if isinstance(data, BaseExperiment) or hasattr(data, "__iter__") or hasattr(data, "__aiter__"):
        return data
    raise TypeError(
        f"data is {data!r:.100}; expected a list, a generator, a dataset, BaseExperiment(), or a function that "
        "returns one"
    )


def _is_async(data: Any) -> bool:
    return inspect.iscoroutinefunction(data) or inspect.isasyncgenfunction(data)


def is_stream(data: Any) -> bool:
    """Whether the data may be larger than memory: it has no length."""
    return not isinstance(data, list | tuple)


async def iterate(data: Any) -> AsyncIterator[list[EvalCase]]:
    """The cases, many at a time. Streams are read in a thread, since reading them may wait for a network."""
    source = dataset_source(data)
    position = 0
    if hasattr(data, "__aiter__"):
        async for item in data:
            yield [as_case(item, position, source)]
            position += 1
        return
    iterator: Iterator[Any] = iter(data)
    while batch := await _next_batch(data, iterator):
        yield [as_case(item, position + number, source) for number, item in enumerate(batch)]
        position += len(batch)


async def _next_batch(data: Any, iterator: Iterator[Any]) -> list[Any]:
    if not is_stream(data):
        return list(islice(iterator, BATCH))
    return await asyncio.to_thread(lambda: list(islice(iterator, BATCH)))


def dataset_source(data: Any) -> dict[str, str] | None:
    """What a case's origin says about the dataset that the data is; None for anything else."""
    if hasattr(data, "version") and hasattr(data, "id") and hasattr(data, "fetch"):
        return {"object_type": "dataset", "object_id": str(data.id)}
    return None


def as_case(item: Any, position: int, source: Mapping[str, str] | None = None) -> EvalCase:
    """The case that an item of the data describes."""
    if isinstance(item, EvalCase):
        case = item
    elif isinstance(item, Mapping):
        if "input" not in item:
            raise ValueError(f"data[{position}] has no input, only {sorted(map(str, item))}; every case needs one")
        given = {name: value for name, value in item.items() if name in _FIELDS_BESIDE_INPUT and value is not None}
        case = EvalCase(item["input"], **given)
    else:  # a case of another library, with the same fields
        given = {name: getattr(item, name) for name in _FIELDS if getattr(item, name, None) is not None}
        if "input" not in given:
            raise TypeError(f"data[{position}] is {item!r:.100}; expected a dict or EvalCase with an input")
        case = EvalCase(**given)
    if not isinstance(case.metadata, dict):
        raise TypeError(f"data[{position}].metadata is {case.metadata!r:.100}; expected a dict")
    if source is not None and case.id:
        case.origin = {**source, "id": case.id, "_xact_id": case._xact_id or "", "created": case.created or ""}
    return case
