"""The way to the server, kept open: attempt after attempt with a growing, shaken wait, until a final refusal."""

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from deskbell_desktop.core import events as on
from deskbell_desktop.core import foreign
from deskbell_desktop.core.account import SignInFailed
from deskbell_desktop.core.events import Account
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.address import Address, parse_address
from deskbell_desktop.io.http import Api, Tls, new_session
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.problems import ApiError, LinkError, UnsafeError
from deskbell_desktop.io.results import LoginSucceeded, PeopleFound
from deskbell_desktop.io.socket import Ending, Login, Post, Request, Socket
from deskbell_protocol import limits, wire
from deskbell_protocol.errors import Code

log = logging.getLogger(__name__)

RECENT_S = 120.0
RECENT_MAX_S = 4.0
"""The ceiling for so long after a good link: a server that is only restarted is not waited for long."""
HINT_S = 1.0
"""So long a sign-in may take before the server is asked whether it is one without encryption."""


class Backoff:
    """How long to wait before the next attempt: full jitter under a ceiling that doubles."""

    def __init__(self) -> None:
        self._ceiling = limits.RECONNECT_FIRST_S
        self._good_until = -RECENT_S

    def good(self, now: float) -> None:
        """There was a good link until `now`."""
        self._ceiling, self._good_until = limits.RECONNECT_FIRST_S, now

    def wait(self, ending: Ending, now: float) -> float:
        """Seconds. `busy` keeps away for a minute; a farewell names its own time; both are shaken too."""
        most = RECENT_MAX_S if now - self._good_until < RECENT_S else limits.RECONNECT_MAX_S
        spread = random.uniform(0, min(self._ceiling, most))  # noqa: S311 - spreads a crowd, guards nothing
        self._ceiling = min(self._ceiling * 2, limits.RECONNECT_MAX_S)
        if ending.code == Code.BUSY:
            return (ending.wait_s or limits.RECONNECT_BUSY_S) * random.uniform(0.8, 1.2)  # noqa: S311
        return spread if ending.wait_s is None else ending.wait_s + spread


class Connection:
    """Lives on the network's thread. Everything it learns is posted."""

    def __init__(
        self, post: Post, intake: Intake, words: Words, *, client: str, device: str, ca_file: Path | None
    ) -> None:
        self._words = words
        self._post = post
        self._intake = intake
        self._client = client
        self._device = device
        self._ca_file = ca_file
        self._tls: ssl.SSLContext | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._login: asyncio.Task[None] | None = None
        self._socket: Socket | None = None
        self._hurry = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the socket -----------------------------------------------------------------------------------------------

    async def open(self, server: str, token: str) -> None:
        """Begin to keep a connection; an earlier one ends first. The address was checked at the login."""
        await self.shut()
        address = self._known(server)
        login = Login(address, token, self._client, self._device)
        self._keeper = asyncio.get_running_loop().create_task(self._keep(login))

    async def shut(self) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            if self._socket is not None:
                self._socket.end()
            with contextlib.suppress(asyncio.CancelledError):
                await keeper
        self._intake.clear()

    async def close(self) -> None:
        await self.shut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hurry(self) -> None:
        """The network has come back, the computer has woken or its person asks for it: do not wait any longer."""
        self._hurry.set()

    def request(self, effect: Request) -> None:
        if self._socket is not None:
            self._socket.request(effect)

    async def _keep(self, login: Login) -> None:
        backoff = Backoff()
        self._post(on.LinkTried())
        loop = asyncio.get_running_loop()
        while self._is_wanted():
            self._hurry.clear()
            ending = await self._attempt(login)
            if not self._is_wanted():
                return
            if ending.was_good:
                backoff.good(loop.time())
            if ending.fatal:
                self._post(on.Refused(ending.code, ending.problem, fatal=True))
                return
            self._post(on.LinkDown(ending.problem, ending.grave))
            wait = backoff.wait(ending, loop.time())
            log.info("disconnected (%s); again in %.1f s", ending.code or "no code", wait)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), wait)
                self._post(on.LinkTried())

    def _is_wanted(self) -> bool:
        """Whether the running task still is the one that keeps the connection: its cancellation may have got lost."""
        return asyncio.current_task() is self._keeper

    async def _attempt(self, login: Login) -> Ending:
        try:
            self._socket = Socket(login, self._tls_for(login.address), self._post, self._intake, self._words)
            return await self._socket.run()
        except LinkError as error:
            return Ending(str(error), grave=True)
        except Exception:  # whatever it was, the next attempt may do better; the loop must not die
            log.exception("an attempt failed in an unforeseen way")
            return Ending(self._words.unknown_failure())
        finally:
            self._socket = None

    # -- HTTP -----------------------------------------------------------------------------------------------------

    def begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def begin_login(
        self, server: str, name: str, password: str, *, allow_plain_http: bool, known: Mapping[str, str]
    ) -> None:
        """One at a time: a later one ends an earlier."""
        self.cancel_login()
        self._login = self.begin(self.login(server, name, password, allow_plain_http=allow_plain_http, known=known))

    def cancel_login(self) -> None:
        """Whatever it waits for. It posts nothing any more, unless it has already."""
        login, self._login = self._login, None
        if login is not None:
            login.cancel()

    async def login(
        self, server: str, name: str, password: str, *, allow_plain_http: bool, known: Mapping[str, str]
    ) -> None:
        try:
            address = parse_address(server, self._words, allow_plain_http=allow_plain_http)
            login = wire.Login(name, password, self._device, known.get(str(address), ""))
            answer = await self._ask_login(address, login)
        except LinkError as error:
            self._post(SignInFailed(str(error), at_server=not isinstance(error, ApiError)))
            return
        account = Account(str(address), foreign.party(answer.user), answer.server.id)
        self._post(LoginSucceeded(account, answer.token, answer.known))

    async def _ask_login(self, address: Address, login: wire.Login) -> wire.LoginAnswer:
        """A server without encryption may leave a client that wants it waiting: it is asked whether it is one."""
        async with new_session(address, self._tls_for(address)) as session:
            answer = asyncio.ensure_future(Api(session, address, self._words).login(login))
            try:
                await asyncio.wait([answer], timeout=HINT_S)
                if address.scheme == "https" and not _has_answered(answer) and await self._is_plain(address):
                    raise UnsafeError(self._words.plain_server(address.host))
                return await answer
            finally:
                answer.cancel()

    async def _is_plain(self, address: Address) -> bool:
        plain = replace(address, scheme="http")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(HINT_S), new_session(plain, tls=True) as session:
                return await Api(session, plain, self._words).answers()
        return False

    async def logout(self, server: str, token: str) -> None:
        """Best effort: without the server the device stays in the person's list, where it can be revoked."""
        try:
            address = self._known(server)
            async with new_session(address, self._tls_for(address)) as session:
                await Api(session, address, self._words).logout(token)
        except LinkError as error:
            log.warning("this device could not be signed out at the server: %s", error)

    async def search(self, server: str, token: str, query: str) -> None:
        try:
            address = self._known(server)
            async with new_session(address, self._tls_for(address)) as session:
                people = await Api(session, address, self._words).users(token, query)
        except LinkError as error:
            log.info("search for people: %s", error)
            self._post(PeopleFound(query, None))
            return
        self._post(PeopleFound(query, tuple(map(foreign.party, people))))

    def _tls_for(self, address: Address) -> Tls:
        """Made once, when there is something to encrypt: it takes 60 ms and a MiB."""
        if address.scheme == "http":
            return True
        if self._tls is None:
            try:
                self._tls = ssl.create_default_context(cafile=str(self._ca_file) if self._ca_file else None)
            except (OSError, ssl.SSLError) as error:
                raise UnsafeError(self._words.bad_ca_file(str(self._ca_file), str(error))) from error
            # Python 3.13 asks for extensions that no browser asks for, and that offices' older authorities lack
            self._tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return self._tls

    def _known(self, server: str) -> Address:
        """Of an account that is signed in: what it may be was decided then."""
        return parse_address(server, self._words, allow_plain_http=True)


def _has_answered(answer: "asyncio.Future[wire.LoginAnswer]") -> bool:
    return answer.done() and isinstance(answer.exception(), ApiError | None)
