"""Rules of the protocol, each broken once: what the model must notice, or it is blind.

Every mutant takes one rule out of the real code, on either side of the wire; those of the server's log are in
`mutants_log`.
"""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import pytest

from deskbell_desktop.core.log import Log
from deskbell_desktop.core.outbox import Outbox
from deskbell_desktop.core.rings import Rings
from deskbell_desktop.io.store import Store
from deskbell_protocol import wire
from tests.model import mutants_log

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]
Frame = wire.Event | wire.Head


def _nothing(*_arguments: Any) -> list[Any]:
    return []


def _no_ids(*_arguments: Any) -> frozenset[str]:
    return frozenset()


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


def forgets_that_the_log_is_another(patch: Patch) -> None:
    """What comes of another epoch while a sync is under way counts for nothing."""

    def pushed(self: Log, frames: Iterable[Frame]) -> tuple[list[wire.Event], bool]:
        found = original(self, frames)
        self._foreign = False
        return found

    original = Log.pushed
    patch.setattr(Log, "pushed", pushed)


def goes_back_to_where_an_answer_ends(patch: Patch) -> None:
    def answered(self: Log, answer: wire.SyncAnswer) -> tuple[bool, list[wire.Event]]:
        found = original(self, answer)
        self.cursor = answer.upto if answer.epoch == self.epoch else self.cursor
        return found

    original = Log.answered
    patch.setattr(Log, "answered", answered)


def takes_the_last_event_for_the_end_of_a_page(patch: Patch) -> None:
    def answered(self: Log, answer: wire.SyncAnswer) -> tuple[bool, list[wire.Event]]:
        upto = answer.events[-1].seq if answer.events else answer.after
        return original(self, msgspec.structs.replace(answer, upto=upto))

    original = Log.answered
    patch.setattr(Log, "answered", answered)


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


MUTANTS: tuple[Mutant, ...] = (
    applies_whatever_is_pushed,
    applies_in_any_epoch,
    takes_any_answer_for_its_own,
    forgets_that_the_log_is_another,
    goes_back_to_where_an_answer_ends,
    takes_the_last_event_for_the_end_of_a_page,
    does_not_sync_when_something_is_missing,
    forgets_to_commit_the_cursor,
    does_not_note_that_a_popup_was_shown,
    does_not_keep_what_still_has_to_ring,
    rings_again_after_a_restore,
    does_not_send_again_after_a_break,
    never_lets_go_of_what_waits_for_a_sync,
    *mutants_log.MUTANTS,
)
