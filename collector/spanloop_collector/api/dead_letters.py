"""DeadLetterService: requests that ClickHouse refused, listed, replayed and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from spanloop.v1 import dead_letters_pb2

from spanloop_collector.api.operations import Call


class Letter(Protocol):
    """A request that was set aside."""

    @property
    def id(self) -> str: ...

    @property
    def signal(self) -> str: ...

    @property
    def created_unix_seconds(self) -> float: ...

    @property
    def item_count(self) -> int: ...

    @property
    def byte_count(self) -> int: ...

    @property
    def code(self) -> int: ...

    @property
    def reason(self) -> str: ...


AnyLetter = TypeVar("AnyLetter", bound=Letter)


class LetterBox(Protocol[AnyLetter]):
    """Where dead letters are kept. Calls block."""

    def waiting(self) -> Sequence[AnyLetter]: ...

    def find(self, letter_id: str) -> AnyLetter: ...

    def remove(self, letter: AnyLetter, *, state: str) -> None: ...


class DeadLetterOperations:
    """The operations of DeadLetterService."""

    def __init__(self, box: LetterBox[AnyLetter], *, replay: Callable[[AnyLetter], Awaitable[None]]) -> None:
        """`replay` puts a letter's request back into its spool and returns when it is durable there."""
        self._box = box
        self._replay = replay

    async def list_dead_letters(
        self, request: dead_letters_pb2.ListDeadLettersRequest, call: Call
    ) -> dead_letters_pb2.ListDeadLettersResponse:
        """Every dead letter, oldest first."""
        letters = await asyncio.to_thread(self._box.waiting)
        return dead_letters_pb2.ListDeadLettersResponse(dead_letters=[_message(letter) for letter in letters])

    async def replay_dead_letter(
        self, request: dead_letters_pb2.ReplayDeadLetterRequest, call: Call
    ) -> dead_letters_pb2.ReplayDeadLetterResponse:
        """Sends one on its way again. Removed only once it is durable in the spool."""
        letter = await asyncio.to_thread(self._box.find, request.id)
        await self._replay(letter)
        await asyncio.to_thread(self._box.remove, letter, state="replayed")
        return dead_letters_pb2.ReplayDeadLetterResponse()

    async def delete_dead_letter(
        self, request: dead_letters_pb2.DeleteDeadLetterRequest, call: Call
    ) -> dead_letters_pb2.DeleteDeadLetterResponse:
        """Deletes one for good."""
        letter = await asyncio.to_thread(self._box.find, request.id)
        await asyncio.to_thread(self._box.remove, letter, state="deleted")
        return dead_letters_pb2.DeleteDeadLetterResponse()


def _message(letter: Letter) -> dead_letters_pb2.DeadLetter:
    return dead_letters_pb2.DeadLetter(
        id=letter.id,
        signal=letter.signal,
        created=datetime.fromtimestamp(letter.created_unix_seconds, UTC).isoformat(),
        items=letter.item_count,
        bytes=letter.byte_count,
        code=letter.code,
        reason=letter.reason,
    )
