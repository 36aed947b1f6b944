"""One device of the model: the real session, carrier and store, which may be cut off between any two effects."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deskbell_desktop.carrier import Carrier
from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core.events import Account, Moment
from deskbell_desktop.core.session import Session
from deskbell_desktop.core.views import Popup
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.store import REPLACED_MAX, Store
from deskbell_desktop.io.store_file import StoreDamagedError
from deskbell_desktop.safekeeping import Safekeeping
from deskbell_protocol.wire import Party, SyncAnswer

Request = do.RequestSync | do.SendMessage | do.SendRead | do.SendAck


@dataclass(frozen=True)
class Synced:
    """The answer to a sync, and the places of the person's view that were pruned when it was made."""

    request: do.RequestSync
    answer: SyncAnswer
    gone: frozenset[int]


class Crashed(BaseException):
    """The program was killed here: nothing in it can catch this."""


def _nothing(*_arguments: object, **_more: object) -> None:
    pass


class Nowhere:
    """Stands for the window, the tray and what else only shows: takes everything, does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return _nothing


class Line:
    """Stands for the network: what is asked of the server goes to `ask`, in order."""

    def __init__(self, ask: Callable[[Request], None]) -> None:
        self.request = ask

    def shut(self) -> None:
        """The model cuts by itself."""


class Hands(Carrier):
    """Carries out like the program, but `before` each effect, and after a popup was shown, it may end."""

    def __init__(self, device: "Device", ask: Callable[[Request], None]) -> None:
        nothing: Any = Nowhere()
        line: Any = Line(ask)
        popups: Any = device
        self.keeper = Safekeeping(device.feed, nothing, Path(), Words(), _nothing, _nothing)
        super().__init__(
            device.feed,
            network=line,
            credentials=nothing,
            keeper=self.keeper,
            popups=popups,
            presenter=nothing,
            settings=nothing,
            tray=nothing,
        )
        self._device = device

    def _carry_out(self, effect: do.Effect) -> None:
        self._device.burn()
        if isinstance(effect, do.ShowPopup):
            self._device.popups.append(effect.covers)
        super()._carry_out(effect)
        if isinstance(effect, do.StartOver):
            self._device.starts_over(effect.epoch, effect.cursor)


class Device:
    """`off` after a crash until `start`."""

    activation_token = ""

    def __init__(self, path: Path, user: Party, clock: Callable[[], Moment], ask: Callable[[Request], None]) -> None:
        self.user = user
        self.popups: list[tuple[str, ...]] = []
        self.popup_keys: list[str] = []
        self.bases: dict[str, int] = {}
        """Where it began in each life of the log: what lies before is known to be missing."""
        self.excused: dict[str, set[int]] = {}
        """What was pruned when it was told that something is missing, or began."""
        self._gone: frozenset[int] = frozenset()
        self.crashes = 0
        self.stores = 1
        self._path = path
        self._clock = clock
        self._ask = ask
        self._fuse: int | None = None
        self._session: Session | None = None
        self._hands: Hands
        self._store = Store(path, user.id, Words())

    # -- its life -----------------------------------------------------------------------------------------------------

    @property
    def off(self) -> bool:
        return self._session is None

    def start(self) -> None:
        assert not self._store.problem, self._store.problem
        self._session = Session(Words())
        self._hands = Hands(self, self._ask)
        self._hands.keeper.store = self._store
        account = Account("model", self.user, "model")
        self.feed(on.Started(account))
        self.feed(on.SignedIn(account, self._store.load()))

    def crash(self) -> None:
        """`kill -9`: nothing is said goodbye to; what was committed stays."""
        self._session, self._fuse = None, None
        self.crashes += 1
        self._store.database.close()
        self._store = Store(self._path, self.user.id, Words())

    def break_store(self) -> None:
        """A damaged page is found: the program goes on with a new store, in which only the outbox is left. Where that
        happens once too often it would go on in memory.
        """
        if not self.off and self.stores <= REPLACED_MAX:
            self.stores += 1
            self.popups.clear()
            self.popup_keys.clear()
            self._hands.mend(StoreDamagedError("played"))

    def burn_down(self, effects: int) -> None:
        """It will be killed after that many more effects."""
        self._fuse = effects

    def burn_out(self) -> None:
        self._fuse = None

    def burn(self) -> None:
        if self._fuse is not None:
            self._fuse -= 1
            if self._fuse < 0:
                raise Crashed

    def close(self) -> None:
        self._store.close()

    # -- what happens to it -------------------------------------------------------------------------------------------

    def feed(self, event: on.Event) -> None:
        if self._session is None:
            return
        try:
            self._hands.carry_out(self._session.handle(event, self._clock()))
        except Crashed:
            self.crash()

    def synced(self, synced: Synced) -> None:
        request, answer = synced.request, synced.answer
        known = self._store.known(event.id for event in answer.events)
        self._gone = synced.gone
        if request.epoch is None and self.position()[0] is None:
            assert answer.after == request.after
            self.starts_over(answer.epoch, answer.after)
        if answer.reset:  # said once in a catch-up, of whatever is missing in it
            self.excused.setdefault(answer.epoch, set()).update(synced.gone)
        self.feed(on.SyncAnswered(request, answer, known))

    def starts_over(self, epoch: str, base: int) -> None:
        self.bases[epoch] = base
        self.excused[epoch] = set(self._gone)

    @property
    def due(self) -> float | None:
        return None if self._session is None else self._session.due

    def show(self, popup: Popup) -> None:
        self.popup_keys.append(popup.key)
        self.burn()

    def withdraw(self, key: str) -> None:
        """Nobody looks."""

    # -- what it has --------------------------------------------------------------------------------------------------

    @property
    def changes(self) -> tuple[int, int, int]:
        """Another value after every commit."""
        return self.crashes, self.stores, self._store.database.total_changes

    def position(self) -> tuple[str | None, int]:
        meta = dict(self._store.database.execute("SELECT key, value FROM meta WHERE key IN ('epoch', 'cursor')"))
        return meta.get("epoch"), int(meta.get("cursor", 0))

    def messages(self) -> list[tuple[int, str, bool, bool]]:
        """(seq, id, mine, unread) in the order of the window; seq is 0 for those of a log that was given up."""
        rows = self._store.database.execute("SELECT seq, id, mine, unread FROM messages ORDER BY n")
        return [(row[0], row[1], bool(row[2]), bool(row[3])) for row in rows]

    def stored(self) -> on.Stored:
        return self._store.load()
