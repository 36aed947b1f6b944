"""Every way in which messages, crashes, restores and pruning can follow one another, and what must hold after each.

The parts are real: `Session`, `Carrier` and `Store` of the desktop, the writer, `Messages`, `Reading`, `Feed` and
`Delivery` of two processes of the server. Only the wire between them is played: pushes are dropped, doubled, reordered;
a cut takes requests and answers with it.
"""

import shutil
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule

from deskbell_desktop.core import events as on
from tests.model.moves import WRITTEN_TO, Moves, devices, index, people, processes
from tests.model.office import BEHIND_MAX, GROUP, PROCESSES
from tests.model.oracle import DEVICES, HOMES
from tests.model.played import Fate


class Machine(Moves):
    """The rules: what may happen. Hypothesis chooses which, and in what order."""

    def teardown(self) -> None:
        try:
            self._settle()
            self._at_rest()
        finally:
            for desk in self.desks.values():
                desk.close()
            self.office.close()
            shutil.rmtree(self.folder)

    # -- what rarely comes about by chance ---------------------------------------------------------------------------

    def _carol_writes(self, name: str, count: int, at: int, fate: Fate | None = None) -> None:
        for _ in range(count):
            self.publish(at, "carol", (DEVICES[name],), fate or Fate())

    @rule(name=devices, effects=st.integers(0, 6), count=st.integers(1, 3))
    def killed_over_a_message(self, name: str, effects: int, count: int) -> None:
        self.connect_and_catch_up(name, late=False)
        self.kill_device_soon(name, effects)
        self._carol_writes(name, count, HOMES[name])
        self.exchange(name, late=False)

    @rule(name=devices, count=st.integers(1, 5), late=st.booleans(), stopped=st.booleans())
    def restored_behind_its_back(self, name: str, count: int, late: bool, stopped: bool) -> None:
        self.connect_and_catch_up(name, late=False)
        self.back_up()
        self._carol_writes(name, count, HOMES[name])
        self.exchange(name, late)
        self.restore(really=True, stopped=stopped)
        self.publish(HOMES[name], "bob", (DEVICES[name],), Fate())
        self.connect_and_catch_up(name, late)

    @rule(name=devices, is_looked_at=st.booleans())
    def restored_while_it_asks(self, name: str, is_looked_at: bool) -> None:
        """The answer was given before. The process learns of it when it looks, or by the next answer that it gives."""
        self.connect_and_catch_up(name, late=False)
        desk = self.desks[name]
        desk.feed(on.Woke())
        self.back_up()
        self.serve(name, Fate())
        self.restore(really=True, stopped=False)
        if is_looked_at:
            self.look(HOMES[name], Fate())
            self.deliver_pushes_in_one_go(name)
            self.deliver_all_in_order(name)
        else:
            self.deliver_all_in_order(name)
            desk.feed(on.Woke())
            self.serve(name, Fate(push_fails=True))
            self.deliver_all_in_order(name)

    @rule(name=devices)
    def restored_twice_before_it_is_heard(self, name: str) -> None:
        """A sync is answered out of the second log, before the loop hears that the first began."""
        self.connect_and_catch_up(name, late=False)
        self.back_up()
        for _ in range(2):
            self.look(HOMES[name], Fate(late=True))
            self.restore(really=True, stopped=False)
        self.desks[name].feed(on.Woke())
        self.serve(name, Fate())
        self.look(HOMES[name], Fate())

    @rule(user=people, shares=st.tuples(st.integers(0, 4), st.integers(0, 4)), at=processes)
    def read_in_two_places(self, user: str, shares: tuple[int, int], at: int) -> None:
        for _ in range(4):  # so that every share is another mark
            self.publish(at, "carol", (user,), Fate())
        for share in shares:
            self.read_by_script(at, user, share)

    @rule(name=devices, count=st.integers(1, 4), keep=st.integers(0, 4))
    def pruned_behind_its_back(self, name: str, count: int, keep: int) -> None:
        self.connect_and_catch_up(name, late=False)
        self.cut(name, noticed=True)
        self._carol_writes(name, count, HOMES[name])
        self.prune(HOMES[name], keep, really=True)

    @rule(name=devices, count=st.integers(0, 4))
    def store_breaks_while_it_asks(self, name: str, count: int) -> None:
        self.connect_and_catch_up(name, late=False)
        self._carol_writes(name, count, HOMES[name])
        desk = self.desks[name]
        desk.feed(on.Woke())
        self.came_back[name] |= self.written[name] - {item.cid for item in desk.stored().outbox}
        desk.break_store()
        self.holds()  # it begins anew
        self.exchange(name, late=False)

    @rule(name=devices, count=st.integers(1, BEHIND_MAX + 2), keep=st.integers(0, 3), pruned=st.booleans())
    def written_at_the_other_process(self, name: str, count: int, keep: int, pruned: bool) -> None:
        """Which has not been looked at here before it was a lot, or gone."""
        self.connect_and_catch_up(name, late=False)
        elsewhere = (HOMES[name] + 1) % PROCESSES
        self._carol_writes(name, count, elsewhere)
        self.prune(elsewhere, keep, really=pruned)
        self.look(HOMES[name], Fate())
        self.deliver_all_in_order(name)

    @rule(name=devices, fate=st.sampled_from([Fate(push_fails=True), Fate(commit_fails=True), Fate(late=True)]))
    def one_does_not_come(self, name: str, fate: Fate) -> None:
        """And the next one does."""
        self.connect_and_catch_up(name, late=False)
        self._carol_writes(name, 1, HOMES[name], fate)
        self._carol_writes(name, 1, HOMES[name])
        self.deliver_all_in_order(name)

    @rule(name=devices, there_and_back=st.tuples(st.booleans(), st.booleans()))
    def moves_to_the_other_process_and_back(self, name: str, there_and_back: tuple[bool, bool]) -> None:
        self.connect_and_catch_up(name, late=False)
        self.cut(name, noticed=True)
        for at, writes in zip(((HOMES[name] + 1) % PROCESSES, HOMES[name]), there_and_back, strict=True):
            self._carol_writes(name, int(writes), HOMES[name])
            self.connect(name, at)
            self.exchange(name, late=False)
        self._carol_writes(name, 1, HOMES[name])
        self.deliver_all_in_order(name)

    @rule(name=devices, at=processes, turns=st.lists(st.booleans(), min_size=2, max_size=5))
    def comes_and_goes(self, name: str, at: int, turns: list[bool]) -> None:
        """Between what is said to the group, and its own process looks when all of that has happened."""
        self.connect_and_catch_up(name, late=False)
        for speaks in turns:
            if speaks:
                self.publish(at, "carol", (GROUP,), Fate())
            else:
                self.come_or_leave(at, DEVICES[name], really=True)
                self.holds()
        self.look(HOMES[name], Fate())
        self.deliver_all_in_order(name)

    # -- the person and the program -----------------------------------------------------------------------------------

    @rule(name=devices, to=st.sampled_from(WRITTEN_TO))
    def write(self, name: str, to: tuple[str, ...]) -> None:
        desk = self.desks[name]
        cid = f"{name}, {len(self.written[name])}"
        before = desk.crashes
        desk.feed(on.Wrote(cid, f"to {to}", to, f"written {cid}"))
        if not desk.off or (desk.crashes > before and any(item.cid == cid for item in desk.stored().outbox)):
            self.written[name].add(cid)  # it is in the store: from now on it must not get lost

    @rule(name=devices, number=index)
    def answer(self, name: str, number: int) -> None:
        """A reply to something that the device has, perhaps from a log that is no more."""
        desk = self.desks[name]
        got = [id_ for _, id_, mine, _ in desk.messages() if not mine]
        if not got or desk.off:
            return
        cid = f"{name}, {len(self.written[name])}"
        desk.feed(on.Wrote(cid, "to bob", ("bob",), f"answer {cid}", reply_to=got[number % len(got)]))
        if not desk.off:
            self.written[name].add(cid)

    @rule(name=devices, number=index, how=st.sampled_from([on.PopupRead, on.PopupOpened, on.PopupClosed]))
    def touch_popup(self, name: str, number: int, how: Any) -> None:
        desk = self.desks[name]
        if desk.popups:
            desk.feed(how(desk.popup_keys[number % len(desk.popups)]))

    @rule(name=devices, number=index)
    def look_at_conversation(self, name: str, number: int) -> None:
        desk = self.desks[name]
        conversations = [item.conversation for item in desk.stored().unread]
        if conversations:
            conversation = conversations[number % len(conversations)]
            unread = tuple(item.id for item in desk.stored().unread if item.conversation == conversation)
            desk.feed(on.Looking(conversation, at_end=True, seen=unread[-number % len(unread) :]))
            desk.feed(on.Looking(None))

    @rule(name=devices, effects=st.integers(0, 6))
    def kill_device_soon(self, name: str, effects: int) -> None:
        if not self.desks[name].off:
            self.desks[name].burn_down(effects)

    @rule(name=devices)
    def kill_device(self, name: str) -> None:
        if not self.desks[name].off:
            self.desks[name].crash()

    @rule(seconds=st.sampled_from([0.3, 1.0, 2.5, 6.0, 40.0]))
    def time_passes(self, seconds: float) -> None:
        self.mono += seconds
        for desk in self.desks.values():
            if desk.due is not None and desk.due <= self.mono:
                desk.feed(on.Ticked())

    # -- the end ------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """No more faults. Who is connected and lost nothing needs no `head`; whoever else is connected, one."""
        self.holds()
        for name, desk in self.desks.items():
            desk.burn_out()
            self.start_device(name)
            if not self.lines[name].joined:
                self.connect(name, HOMES[name])
        self._come_to_rest()
        for name, line in self.lines.items():
            if not line.has_lost:
                self._knows_all(name)
        for at in range(PROCESSES):
            self.tell_heads(at)
        self._come_to_rest()

    def _come_to_rest(self) -> None:
        """Everything that can go on goes on, until nothing does."""
        for _ in range(400):
            busy = self._turn()
            self.holds()
            dues = [desk.due for desk in self.desks.values() if desk.due is not None and desk.due < self.mono + 600]
            if not busy and not dues:
                return
            if not busy:
                self.mono = max(self.mono, min(dues))
                self.time_passes(0.0)
        raise AssertionError("it never comes to rest")

    def _turn(self) -> bool:
        for at in range(PROCESSES):
            self.look(at, Fate())
        busy = False
        for name, line in self.lines.items():
            busy = busy or bool(line.up or line.down)
            while line.up:
                self.serve(name, Fate())
            self.deliver_all_in_order(name)
        return busy
