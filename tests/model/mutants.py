"""Rules of the protocol, each broken once: what the model must notice, or it is blind.

Every mutant takes one rule out of the real code, on either side of the wire.
"""

import dataclasses
import secrets
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from deskbell_desktop.core.log import Log
from deskbell_desktop.core.outbox import Outbox
from deskbell_desktop.core.rings import Rings
from deskbell_desktop.io.store import Store
from deskbell_protocol import wire
from deskbell_server.messaging import messages, reading
from deskbell_server.store import doors, logs
from tests.model import office

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]
Frame = wire.Event | wire.Head


def _nothing(*_arguments: Any) -> list[Any]:
    return []


def _no_ids(*_arguments: Any) -> frozenset[str]:
    return frozenset()


def _yes(*_arguments: Any) -> bool:
    return True


def applies_whatever_is_pushed(patch: Patch) -> None:
    """No look at `prev`."""

    def pushed(self: Log, frames: Iterable[Frame]) -> tuple[list[wire.Event], bool]:
        return original(self, [msgspec.structs.replace(frame, prev=0) for frame in frames])

    original = Log.pushed
    patch.setattr(Log, "pushed", pushed)


def applies_in_any_epoch(patch: Patch) -> None:
    def pushed(self: Log, frames: Iterable[Frame]) -> tuple[list[wire.Event], bool]:
        return original(self, [msgspec.structs.replace(frame, epoch=self.epoch or "") for frame in frames])

    original = Log.pushed
    patch.setattr(Log, "pushed", pushed)


def takes_any_answer_for_its_own(patch: Patch) -> None:
    def ended(self: Log, _request: object) -> bool:
        self._request = None
        return True

    patch.setattr(Log, "ended", ended)


def does_not_sync_when_something_is_missing(patch: Patch) -> None:
    patch.setattr(Log, "ask", _nothing)


def forgets_to_commit_the_cursor(patch: Patch) -> None:
    patch.setattr(Store, "_put", _nothing)


def does_not_note_that_a_popup_was_shown(patch: Patch) -> None:
    patch.setattr(Store, "silence", _nothing)


def does_not_keep_what_still_has_to_ring(patch: Patch) -> None:
    def load(self: Store) -> Any:
        return dataclasses.replace(original(self), rings=())

    original = Store.load
    patch.setattr(Store, "load", load)


def rings_again_after_a_restore(patch: Patch) -> None:
    patch.setattr(Store, "known", _no_ids)


def does_not_send_again_after_a_break(patch: Patch) -> None:
    def up(self: Outbox, now: Any) -> list[Any]:
        self._online = True
        return self.send(now)

    patch.setattr(Outbox, "up", up)
    patch.setattr(Outbox, "down", _nothing)


def never_lets_go_of_what_waits_for_a_sync(patch: Patch) -> None:
    patch.setattr(Rings, "caught_up", _nothing)


def stores_a_repeated_request_again(patch: Patch) -> None:
    patch.setattr(doors, "claim", _yes)


def answers_before_the_commit(patch: Patch) -> None:
    def publish(self: messages.Messages, principal: Any, draft: Any, key: str | None) -> Any:
        request = self._checked(principal, draft, key)
        try:
            return self._committed(self._database.write(lambda connection: messages.store(connection, request)))
        except office.Killed:
            return messages.Stored(request.id, request.at, 0, 1, duplicate=False)

    patch.setattr(messages.Messages, "publish", publish)


def announces_before_the_commit(patch: Patch) -> None:
    def append(connection: Any, *arguments: Any) -> Any:
        stored = original(connection, *arguments)
        announce[-1](stored)
        return stored

    def init(self: messages.Messages, database: Any, limiter: Any, tell: Any) -> None:
        announce.append(tell)
        original_init(self, database, limiter, tell)

    announce: list[Any] = []
    original, original_init = messages.append, messages.Messages.__init__
    patch.setattr(messages, "append", append)
    patch.setattr(messages.Messages, "__init__", init)


def hides_that_history_is_gone(patch: Patch) -> None:
    def snapshot(connection: Any, principal: Any, request: wire.Sync) -> wire.SyncAnswer:
        return msgspec.structs.replace(original(connection, principal, request), reset=False)

    original = reading.snapshot
    patch.setattr(reading, "snapshot", snapshot)


def takes_read_marks_back(patch: Patch) -> None:
    """The last mark wins instead of the highest."""

    def mark(connection: Any, user_id: str, request: wire.Read, at: int) -> Any:
        if request.up_to is None:
            return original(connection, user_id, request, at)
        logs.set_read_up_to(connection, user_id, request.up_to)
        return wire.ReadMark(up_to=request.up_to)

    original = reading._mark
    patch.setattr(reading, "_mark", mark)


def keeps_the_epoch_over_a_restore(patch: Patch) -> None:
    patch.setattr(secrets, "token_hex", lambda _bytes: "the same for ever")


MUTANTS: tuple[Mutant, ...] = (
    applies_whatever_is_pushed,
    applies_in_any_epoch,
    takes_any_answer_for_its_own,
    does_not_sync_when_something_is_missing,
    forgets_to_commit_the_cursor,
    does_not_note_that_a_popup_was_shown,
    does_not_keep_what_still_has_to_ring,
    rings_again_after_a_restore,
    does_not_send_again_after_a_break,
    never_lets_go_of_what_waits_for_a_sync,
    stores_a_repeated_request_again,
    answers_before_the_commit,
    announces_before_the_commit,
    hides_that_history_is_gone,
    takes_read_marks_back,
    keeps_the_epoch_over_a_restore,
)
