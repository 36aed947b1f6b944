"""Rules of the one log, each broken once in the real code of the server. Source: LOG.md, "mutants"."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from deskbell_protocol import names, wire
from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.feed import Feed, Push
from deskbell_server.messaging import appending, messages, viewing
from deskbell_server.messaging.publishes import Stored
from deskbell_server.store import backup, births, channels, floors, log, marks, members, prune, workers
from deskbell_server.store.database import Connection, Memory, memory_of
from deskbell_server.store.log import LogEnd, Row
from deskbell_server.store.members import Window
from tests.model.played import Killed, NotPushedError

Patch = pytest.MonkeyPatch
Mutant = Callable[[Patch], None]


def _nothing(*_arguments: Any) -> None:
    return None


# -- storing ----------------------------------------------------------------------------------------------------------


def stores_a_repeated_request_again(patch: Patch) -> None:
    patch.setattr(appending, "first_answer", _nothing)


def stores_a_repeated_request_of_a_group_again(patch: Patch) -> None:
    patch.setattr(appending, "_used_keys", lambda _connection, _requests: set())


def gives_a_repeated_request_a_place(patch: Patch) -> None:
    def first_answer(connection: Connection, request: Any) -> Stored | None:
        found = original(connection, request)
        if found is not None:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'head'", (str(log.head(connection) + 1),))
        return found

    original = appending.first_answer
    patch.setattr(appending, "first_answer", first_answer)


def answers_before_the_commit(patch: Patch) -> None:
    def publish(self: messages.Messages, principal: Any, draft: Any, key: str | None) -> Any:
        request = self._checked(principal, draft, key)
        try:
            return self._committed(self._database.write(messages.Publishing(request)))
        except Killed:
            database: Any = self._database
            database._writer._drop()  # it ends with what it had begun
            return Stored(request.id, request.at, 0, 1, duplicate=False)

    patch.setattr(messages.Messages, "publish", publish)


def tells_before_the_commit(patch: Patch) -> None:
    """Own entries are pushed although the commit failed."""

    def run_all(self: workers.Writer, group: Any, session: Any) -> None:
        original(self, group, session)
        self._wakeups.done(self.following.own(session))

    original = workers.Writer._run_all
    patch.setattr(workers.Writer, "_run_all", run_all)


def opens_a_window_that_began_before(patch: Patch) -> None:
    """Who comes into a group sees what was said before."""

    def open_windows(connection: Connection, windows: Sequence[members.Window]) -> None:
        backdated = [members.Window(w.person, w.channel, min(w.from_seq, 1), w.to_seq) for w in windows]
        original(connection, backdated)

    original = members.open_windows
    patch.setattr(members, "open_windows", open_windows)


# -- what is pushed ---------------------------------------------------------------------------------------------------


def notes_what_was_told_after_sending(patch: Patch) -> None:
    def send(self: Delivery, rooms: Any, tail: bytes, more: Sequence[bytes] = ()) -> None:
        self._transport.fan_out(names.EVENT, rooms, tail, more)

    def passed_on(self: Delivery, push: Push, people: Iterable[int]) -> None:
        before = dict(self._told)
        try:
            original(self, push, people)
        except NotPushedError:
            self._told.update(before)

    original = Delivery._pass
    patch.setattr(Delivery, "_send", send)
    patch.setattr(Delivery, "_pass", passed_on)


def remembers_what_was_told_over_a_break(patch: Patch) -> None:
    def left(self: Delivery, principal: Any) -> None:
        remembered[id(self), principal.number] = self._told.get(principal.number, 0)
        original_left(self, principal)

    def arrived(self: Delivery, principal: Any) -> None:
        told = remembered.get((id(self), principal.number))
        if told is not None:
            self._told.setdefault(principal.number, told)
        original_arrived(self, principal)

    remembered: dict[tuple[int, int], int] = {}
    original_left, original_arrived = Delivery.left, Delivery.arrived
    patch.setattr(Delivery, "left", left)
    patch.setattr(Delivery, "arrived", arrived)


def starts_to_tell_from_the_beginning(patch: Patch) -> None:
    """`told` of who comes is nothing, as if everything were still to be pushed."""

    def arrived(self: Delivery, principal: Any) -> None:
        self._told.setdefault(principal.number, 0)

    patch.setattr(Delivery, "arrived", arrived)


def jumps_as_if_everything_were_told(patch: Patch) -> None:
    """`told` stays where it was."""

    def jump(self: Delivery, place: LogEnd) -> None:
        self.place = place
        self.head(list(self._told))

    patch.setattr(Delivery, "_jump", jump)


def says_heads_without_prev(patch: Patch) -> None:
    def head(self: Delivery, people: Any) -> None:
        self._told.update(dict.fromkeys(self._told.keys() & set(people), 0))
        original(self, people)

    original = Delivery.head
    patch.setattr(Delivery, "head", head)


def does_not_know_another_epoch(patch: Patch) -> None:
    """A restore under a running server is taken for a log that went on."""

    def look(self: Feed, connection: Connection, has_committed: bool) -> Any:
        end = log.end(connection)
        self._fetched = LogEnd(end.epoch, min(self._fetched.seq, end.seq))
        return original(self, connection, has_committed)

    original = Feed.look
    patch.setattr(Feed, "look", look)
    patch.setattr(Delivery, "synced", _nothing)


def counts_what_it_could_not_read(patch: Patch) -> None:
    """The log's end, where it read fewer entries than that."""

    def next_pushes(self: Feed, connection: Connection, end: LogEnd, now: float) -> Any:
        _, pushes = original(self, connection, end, now)
        return end, pushes

    original = Feed._next
    patch.setattr(Feed, "_next", next_pushes)


def tells_its_own_before_what_others_wrote(patch: Patch) -> None:
    """What lies between is passed silently."""

    def own(self: Feed, connection: Connection) -> Any:
        before, rows = self._fetched, memory_of(connection).appended
        self._fetched = LogEnd(before.epoch, rows[0].seq - 1)
        found = original(self, connection)
        self._fetched = self._fetched if found else before
        return found and replace(found, after=before)

    original = Feed.own
    patch.setattr(Feed, "own", own)


def joins_announcements_from_the_beginning(patch: Patch) -> None:
    """As if nobody had been told anything before."""

    def joined(self: Delivery, pushes: Sequence[Push]) -> None:
        self._told = dict.fromkeys(self._told, 0)
        original(self, pushes)

    original = Delivery._pass_joined
    patch.setattr(Delivery, "_pass_joined", joined)


def remembers_what_was_rolled_back(patch: Patch) -> None:
    """What a failed group had appended is told all the same."""

    def forget(self: Memory) -> None:
        if not hasattr(self, "appended"):
            original(self)

    original = Memory.forget
    patch.setattr(Memory, "forget", forget)


def pushes_to_who_has_left(patch: Patch) -> None:
    def of_group(connection: Connection, channel: int, _first: int, _last: int) -> list[Window]:
        rows = connection.execute(f"SELECT person FROM members WHERE channel = ? AND {channels.OF_GROUP}", (channel,))
        return [Window(person, channel) for person in sorted({row[0] for row in rows.fetchall()})]

    patch.setattr(members, "of_group", of_group)


def pushes_by_the_members_of_now(patch: Patch) -> None:
    def of_group(connection: Connection, channel: int, _first: int, _last: int) -> list[Window]:
        now = original(connection, channel, log.head(connection), log.head(connection))
        return [Window(window.person, channel) for window in now]

    original = members.of_group
    patch.setattr(members, "of_group", of_group)


def passes_silently_what_was_pruned(patch: Patch) -> None:
    """The feed does not stumble over what is gone."""

    def everything(connection: Connection, after: int, limit: int) -> list[Row]:
        rows = original(connection, after, limit)
        return [as_nobodys(row) if row.channel == channels.GONE else row for row in rows]

    def as_nobodys(row: Row) -> Row:
        nobody = channels.own(channels.NUMBER_MAX)
        return Row(row.seq, nobody, "gone", row.sender, row.at, 0, None, None, "{}")

    original = log.everything
    patch.setattr(log, "everything", everything)


# -- what is answered -------------------------------------------------------------------------------------------------


def hides_that_history_is_gone(patch: Patch) -> None:
    def snapshot(connection: Connection, principal: Any, request: wire.Sync) -> wire.SyncAnswer:
        return msgspec.structs.replace(original(connection, principal, request), reset=False)

    original = viewing.snapshot
    patch.setattr(viewing, "snapshot", snapshot)


def has_one_floor_for_all(patch: Patch) -> None:
    """The oldest that is kept, of whatever channel."""

    def hides(connection: Connection, _person: int, after: int) -> bool:
        oldest = connection.execute("SELECT min(seq) FROM log WHERE channel >= 0").fetchone()[0]
        return oldest is not None and bool(after + 1 < oldest)

    patch.setattr(floors, "hides", hides)


def prunes_silently(patch: Patch) -> None:
    patch.setattr(floors, "raise_floor", _nothing)


def prunes_content_with_part_0(patch: Patch) -> None:
    """The other parts say something else then."""

    def without_others(_connection: Connection, places: Sequence[tuple[int, int]]) -> list[int]:
        return [seq for seq, _ in places]

    def remove(connection: Connection, seqs: Sequence[int], **_more: int) -> None:
        connection.executemany('UPDATE log SET content = \'{"body": ""}\' WHERE seq = ?', [(seq,) for seq in seqs])

    patch.setattr(prune, "without_others", without_others)
    patch.setattr(prune, "remove", remove)


def says_that_a_page_is_the_end(patch: Patch) -> None:
    def after(connection: Connection, person: int, seq: int, last: int, limit: int) -> tuple[list[Row], int]:
        return original(connection, person, seq, last, limit)[0], last

    original = log.after
    patch.setattr(log, "after", after)


def takes_read_marks_back(patch: Patch) -> None:
    """The last mark wins instead of the highest."""

    def raise_mark(connection: Connection, person: int, channel: int, up_to: int) -> bool:
        connection.execute(
            "INSERT INTO marks (person, channel, up_to) VALUES (?, ?, ?)"
            " ON CONFLICT (person, channel) DO UPDATE SET up_to = excluded.up_to",
            (person, channel, up_to),
        )
        return True

    patch.setattr(marks, "raise_mark", raise_mark)


def keeps_the_epoch_over_a_restore(patch: Patch) -> None:
    def load_rows(connection: Connection, file: Any) -> str:
        before = log.end(connection).epoch
        original(connection, file)
        connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (before,))
        return before

    original = backup.load_rows
    patch.setattr(backup, "load_rows", load_rows)


def gives_ids_out_again_after_a_restore(patch: Patch) -> None:
    """The list of epochs is one long."""

    def begin(connection: Connection, epoch: str) -> None:
        connection.execute("DELETE FROM epochs")
        connection.execute("INSERT INTO epochs (first_seq, epoch) VALUES (1, 'the same for ever')")

    patch.setattr(births, "begin", begin)


MUTANTS: tuple[Mutant, ...] = (
    stores_a_repeated_request_again,
    stores_a_repeated_request_of_a_group_again,
    gives_a_repeated_request_a_place,
    answers_before_the_commit,
    tells_before_the_commit,
    opens_a_window_that_began_before,
    notes_what_was_told_after_sending,
    remembers_what_was_told_over_a_break,
    starts_to_tell_from_the_beginning,
    jumps_as_if_everything_were_told,
    says_heads_without_prev,
    does_not_know_another_epoch,
    counts_what_it_could_not_read,
    tells_its_own_before_what_others_wrote,
    joins_announcements_from_the_beginning,
    remembers_what_was_rolled_back,
    pushes_to_who_has_left,
    pushes_by_the_members_of_now,
    passes_silently_what_was_pruned,
    hides_that_history_is_gone,
    has_one_floor_for_all,
    prunes_silently,
    prunes_content_with_part_0,
    says_that_a_page_is_the_end,
    takes_read_marks_back,
    keeps_the_epoch_over_a_restore,
    gives_ids_out_again_after_a_restore,
)
