"""The store of one log per person and the one log, each with the same acts: what the differential test drives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from deskbell_protocol import names
from deskbell_protocol.wire import Publish, Read
from deskbell_server.errors import RefusedError
from deskbell_server.messaging import appending, messages, reading, scheduled, together, viewing
from deskbell_server.messaging.publishes import Request, Stored
from deskbell_server.principals import Principal
from deskbell_server.store import births, devices, doors, log, logs, marks
from deskbell_server.store.database import Connection, Database


@dataclass(frozen=True)
class Wish:
    """A publish before the store gives it an id; `answers` is the number of another wish."""

    number: int
    sender: Principal
    to: tuple[str, ...]
    body: str
    key: str | None
    at: int
    answers: int | None = None
    deliver_at: int | None = None


@dataclass(frozen=True)
class Seen:
    """A message of a view, by the number of its wish."""

    wish: int
    sender: str
    body: str
    answers: int | None
    cid: str | None
    unread: bool


@dataclass
class Store:
    """`ids` of what was stored: the wish of each."""

    database: Database
    ids: dict[str, int] = field(default_factory=dict)
    asked: int = 0

    def publish(self, wish: Wish) -> tuple[Any, ...]:
        return self._outcome(wish, lambda connection: self._store(connection, self._request(connection, wish)))

    def publish_together(self, wishes: list[Wish]) -> list[tuple[Any, ...]]:
        def job(connection: Connection) -> list[Stored | RefusedError]:
            requests = [self._request(connection, wish) for wish in wishes]
            stored = self._store_together(connection, requests)
            return [done or self._alone(connection, r) for done, r in zip(stored, requests, strict=True)]

        return [self._told(wish, done) for wish, done in zip(wishes, self.database.write(job), strict=True)]

    def deliver(self, at: int) -> list[tuple[Any, ...]]:
        return [self._due(row, at) for row in self.database.read(lambda c: doors.due(c, at, 100))]

    def _due(self, row: doors.ScheduledRow, at: int) -> tuple[Any, ...]:
        try:
            done = self.database.write(lambda c: self._deliver(c, row, at))
        except RefusedError as refused:
            problem = str(refused.code)
            self.database.write(lambda c: doors.fail_scheduled(c, row.id, problem))
            return (problem,)
        assert done is not None
        self.ids[done.id] = self.ids[row.id]
        return done.recipients, done.seq is None, self.ids[row.id]

    def cancel(self, who: Principal, number: int) -> bool:
        def job(connection: Connection) -> bool:
            known = [message_id for message_id, wish in self.ids.items() if wish == number]
            return any(doors.cancel_scheduled(connection, message_id, who.user_id, 0) for message_id in known)

        return self.database.write(job)

    def _alone(self, connection: Connection, request: Request) -> Stored | RefusedError:
        try:
            return self._store(connection, request)
        except RefusedError as refused:
            return refused

    def _request(self, connection: Connection, wish: Wish) -> Request:
        answered = None if wish.answers is None else self._id_seen(connection, wish.sender, wish.answers)
        to = None if wish.answers is not None else list(wish.to)
        draft = Publish(to=to, reply_to=answered, body=wish.body, deliver_at=wish.deliver_at)
        self.asked += 1
        return Request(wish.sender, draft, wish.key, f"{self.asked:036d}", wish.at)

    def _outcome(self, wish: Wish, job: Callable[[Connection], Stored]) -> tuple[Any, ...]:
        try:
            return self._told(wish, self.database.write(job))
        except RefusedError as refused:
            return self._told(wish, refused)

    def _told(self, wish: Wish, done: Stored | RefusedError) -> tuple[Any, ...]:
        if isinstance(done, RefusedError):
            return (done.code,)
        self.ids.setdefault(done.id, wish.number)
        return done.duplicate, done.recipients, done.seq is None, self.ids[done.id]

    def _id_seen(self, connection: Connection, who: Principal, number: int) -> str:
        """Of that wish, the id under which this person sees it."""
        raise NotImplementedError

    def _store(self, connection: Connection, request: Request) -> Stored:
        raise NotImplementedError

    def _store_together(self, connection: Connection, requests: list[Request]) -> list[Stored | None]:
        raise NotImplementedError

    def _deliver(self, connection: Connection, row: doors.ScheduledRow, at: int) -> Stored | None:
        raise NotImplementedError


class LogEach(Store):
    """As it was: everything stands in each person's own log."""

    def view(self, who: Principal) -> list[Seen]:
        return self.database.read(lambda connection: self._view(connection, who))

    def read(self, who: Principal, numbers: list[int], up_to: bool) -> bool:
        def job(connection: Connection) -> bool:
            chosen = [row for row in self._rows(connection, who) if self.ids[row.id] in numbers]
            request = Read(up_to=chosen[-1].seq) if up_to else Read(ids=[row.id for row in chosen])
            mark = reading._mark(connection, who.user_id, request, 0)
            if mark is not None:
                logs.append(connection, who.user_id, names.KIND_READ, "x", 0, mark)
            return mark is not None

        return self.database.write(job)

    def _view(self, connection: Connection, who: Principal) -> list[Seen]:
        rows = self._rows(connection, who)
        unread = set(logs.unread_of(connection, who.user_id, [row.id for row in rows])[1]) if rows else set()
        found = []
        for row in rows:
            message = row.message
            assert message is not None
            mine = message.sender.id == who.user_id
            answers = self.ids[message.reply_to] if message.reply_to else None
            cid = message.cid if mine else None
            is_unread = row.id in unread and not mine
            found.append(Seen(self.ids[row.id], message.sender.id, message.body, answers, cid, is_unread))
        return found

    def _rows(self, connection: Connection, who: Principal) -> list[logs.EventRow]:
        return [row for row in logs.after(connection, who.user_id, 0, 10**6) if row.message is not None]

    def _id_seen(self, connection: Connection, who: Principal, number: int) -> str:
        return next(row.id for row in self._rows(connection, who) if self.ids[row.id] == number)

    def _store(self, connection: Connection, request: Request) -> Stored:
        return messages.store(connection, request)

    def _store_together(self, connection: Connection, requests: list[Request]) -> list[Stored | None]:
        return together.store_together(connection, requests)

    def _deliver(self, connection: Connection, row: doors.ScheduledRow, at: int) -> Stored | None:
        return scheduled.deliver(connection, row, at)


class OneLog(Store):
    """As it is to be: everything stands once, and a view is what somebody sees of it."""

    def view(self, who: Principal) -> list[Seen]:
        """A publish once, where its first part stands that this person sees."""
        return self.database.read(lambda connection: self._view(connection, who))

    def read(self, who: Principal, numbers: list[int], up_to: bool) -> bool:
        def job(connection: Connection) -> bool:
            ids = births.births(connection)
            chosen = [row for row in self._rows(connection, who) if self.ids[ids.id(row.publish)] in numbers]
            request = Read(up_to=chosen[-1].seq) if up_to else Read(ids=[ids.id(row.seq) for row in chosen])
            return viewing.read(connection, who, request, 0) is not None

        return self.database.write(job)

    def _view(self, connection: Connection, who: Principal) -> list[Seen]:
        me, ids, rows = viewing.number_of(connection, who), births.births(connection), self._rows(connection, who)
        unread = {row.publish for row in marks.unread(connection, me, rows)}
        found: dict[int, Seen] = {}
        for row, event in zip(rows, viewing.events(connection, me, "", 0, rows), strict=True):
            answers = self._wish_of(connection, event.data["reply_to"]) if "reply_to" in event.data else None
            sender, body, cid = event.data["from"]["id"], event.data["body"], event.data.get("cid")
            wish = self.ids[ids.id(row.publish)]
            found.setdefault(row.publish, Seen(wish, sender, body, answers, cid, row.publish in unread))
        return list(found.values())

    def _rows(self, connection: Connection, who: Principal) -> list[log.Row]:
        rows, _, _ = log.after(connection, viewing.number_of(connection, who), 0, 10**6)
        return [row for row in rows if row.kind == names.KIND_MESSAGE]

    def _id_seen(self, connection: Connection, who: Principal, number: int) -> str:
        ids = births.births(connection)
        return next(ids.id(row.seq) for row in self._rows(connection, who) if self.ids[ids.id(row.publish)] == number)

    def _wish_of(self, connection: Connection, message_id: str) -> int:
        """Of any part."""
        ids = births.births(connection)
        part = connection.execute("SELECT seq - part FROM log WHERE seq = ?", (ids.seq(message_id) or 0,)).fetchone()
        return self.ids[ids.id(part[0])]

    def _store(self, connection: Connection, request: Request) -> Stored:
        return appending.store(connection, request)

    def _store_together(self, connection: Connection, requests: list[Request]) -> list[Stored | None]:
        return appending.store_together(connection, requests)

    def _deliver(self, connection: Connection, row: doors.ScheduledRow, at: int) -> Stored | None:
        writer = devices.writer(connection, row.user_id)
        assert writer is not None
        return appending.deliver(connection, writer, row, at)
