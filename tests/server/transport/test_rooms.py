"""Rooms against python-socketio's own manager as the oracle, and what the two indexes are for."""

import time
from typing import Any

import socketio
from hypothesis import given
from hypothesis import strategies as st
from socketio.manager import Manager

from deskbell_server.transport.rooms import Rooms

CLIENTS, ROOMS = range(4), ["red", "blue"]
moves = st.lists(
    st.tuples(
        st.sampled_from(["arrive", "accept", "enter", "leave", "close", "going", "gone"]),
        st.sampled_from(CLIENTS),
        st.sampled_from(["/", "/test"]),
        st.sampled_from(ROOMS),
    ),
    max_size=60,
)


class Side:
    """One manager, its clients known by number."""

    def __init__(self, manager: Any) -> None:
        socketio.Server(async_mode="threading", client_manager=manager)
        self.manager = manager
        self.sids: dict[tuple[int, str], str] = {}
        self.state: dict[tuple[int, str], str] = {}

    def move(self, move: str, client: int, namespace: str, room: str) -> None:
        who = (client, namespace)
        sid, state = self.sids.get(who, ""), self.state.get(who, "")
        if move == "arrive":
            got = self.manager.pre_connect(f"e{client}", namespace)
            assert (got is None) == bool(state)
            if got is not None:
                self.sids[who], self.state[who] = got, "pending"
        elif move == "accept" and state == "pending":
            self.manager.connect(sid, namespace)
            self.state[who] = "in"
        elif move == "enter" and state:
            self.manager.enter_room(sid, namespace, room)
        elif move == "leave" and state:
            self.manager.leave_room(sid, namespace, room)
        elif move == "close":
            self.manager.close_room(room, namespace)
        elif move == "going" and state == "in":
            self.manager.pre_disconnect(sid, namespace)
            self.state[who] = "going"
        elif move == "gone" and state:
            self.manager.disconnect(sid, namespace)
            del self.sids[who], self.state[who]

    def seen(self) -> dict[str, Any]:
        names = {sid: who for who, sid in self.sids.items()}
        pending = {sid for who, sid in self.sids.items() if self.state[who] == "pending"}
        seen: dict[str, Any] = {}
        for namespace in ("/", "/test"):
            for room in (None, "red", "blue", ["red", "blue"]):
                # Stock sends to those still being asked; these are not members here.
                members = {sid for sid, _ in self.manager.get_participants(namespace, room)} - pending
                seen[f"{namespace} {room}"] = {names[sid] for sid in members}
            for client in CLIENTS:
                sid = self.sids.get((client, namespace))
                seen[f"{namespace} {client}"] = (
                    sid is not None,
                    self.manager.is_connected(sid, namespace),
                    {names.get(room, room) for room in self.manager.get_rooms(sid, namespace)},
                    self.manager.eio_sid_from_sid(sid, namespace) if sid else None,
                    names.get(self.manager.sid_from_eio_sid(f"e{client}", namespace)),
                )
        return seen


@given(moves)
def test_the_same_as_the_stock_manager(steps: list[tuple[str, int, str, str]]) -> None:
    logins: dict[str, int] = {}

    def changed(eio_sid: str, by: int) -> None:
        logins[eio_sid] = logins.get(eio_sid, 0) + by

    ours, stock = Side(Rooms(lambda _sids, _texts: None, changed)), Side(Manager())
    for step in steps:
        ours.move(*step)
        stock.move(*step)
        assert ours.seen() == stock.seen()
    for client in CLIENTS:
        accepted = [state for (who, _), state in ours.state.items() if who == client and state != "pending"]
        assert logins.get(f"e{client}", 0) == len(accepted)


def test_leaving_costs_the_same_however_many_rooms_there_are() -> None:
    side = Side(Rooms(lambda _sids, _texts: None, lambda _eio, _by: None))
    manager, sids = side.manager, []
    for number in range(10_000):
        sid = manager.pre_connect(f"e{number}", "/")
        manager.connect(sid, "/")
        manager.enter_room(sid, "/", f"u:{number}")
        manager.enter_room(sid, "/", f"d:{number}")
        sids.append(sid)
    started = time.process_time()
    for sid in sids:
        manager.disconnect(sid, "/")
    assert time.process_time() - started < 5  # the stock manager takes half a minute
    assert list(manager.get_participants("/", None)) == []
