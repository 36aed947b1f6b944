"""One connection, first packet to last: python-socketio's client, used once and thrown away (room 5)."""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import engineio.base_client
import msgspec
import socketio

from deskbell_desktop.core import effects as do
from deskbell_desktop.core import events as on
from deskbell_desktop.core import refusals, text
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.address import Address
from deskbell_desktop.io.http import Explain, Tls, new_session
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.problems import UnreachableError
from deskbell_desktop.io.wire_json import WireJson
from deskbell_protocol import PROTOCOL_VERSION, limits, names, wire
from deskbell_protocol.errors import FATAL, Code

log = logging.getLogger(__name__)

CONNECT_S = 15.0
WAIT_S = 10.0
CLOSE_S = 2.5
SILENCE_S = limits.PING_INTERVAL_S + limits.PING_TIMEOUT_S
"""The server tells its head every 15 s: after this long without a word the link is dead."""
FRAME_BYTES = 4 * limits.SYNC_BYTES

Post = Callable[[object], None]
Request = do.RequestSync | do.SendMessage | do.SendRead | do.SendAck


@dataclass(frozen=True)
class Login:
    """What the CONNECT packet carries."""

    address: Address
    token: str
    client: str
    device: str

    def __repr__(self) -> str:
        return f"Login({self.address})"


@dataclass(frozen=True)
class Ending:
    """Why an attempt ended. `problem` is for the person, `code` the server's where it gave one."""

    problem: str = ""
    code: str = ""
    fatal: bool = False
    wait_s: float | None = None
    was_good: bool = False
    """It was up, and a sync was answered."""
    grave: bool = False
    """It does not pass by waiting."""


class NoAnswerError(Exception):
    """A request found no answer in time: the link is taken for dead."""


class Socket:
    """`run` until it is over. `request` while it is up; each is answered by one posted event, none after the end."""

    def __init__(self, login: Login, tls: Tls, post: Post, intake: Intake, words: Words) -> None:
        self._words = words
        self._login = login
        self._post = post
        self._intake = intake
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Ending] = self._loop.create_future()
        self._refused: Ending | None = None
        self._cause: BaseException | None = None
        self._heard = self._loop.time()
        self._tasks: set[asyncio.Task[None]] = set()
        self._up = False
        self._good = False
        self._http = new_session(login.address, tls, self._trace())
        self._client = self._make_client()

    def _make_client(self) -> Any:
        client = socketio.AsyncClient(
            reconnection=False,
            handle_sigint=False,
            request_timeout=2,
            http_session=self._http,
            json=WireJson,
            websocket_extra_options={"max_msg_size": FRAME_BYTES, "compress": 0},
        )
        client.on("connect", self._on_connect)
        client.on("connect_error", self._on_connect_error)
        client.on("disconnect", self._on_disconnect)
        client.on(names.EVENT, self._on_event)
        client.on(names.HEAD, self._on_head)
        client.on(names.BYE, self._on_bye)
        return client

    # -- its life -------------------------------------------------------------------------------------------------

    async def run(self) -> Ending:
        try:
            return await self._connect_in_time() or await self._stay()
        finally:
            await self._close()

    def end(self) -> None:
        """As soon as it can. A cancellation may get lost: `wait_for` and python-socketio's handlers swallow some."""
        self._end(self._ending())

    async def _connect_in_time(self) -> Ending | None:
        """Why it came to nothing; None when it is up."""
        connecting = self._loop.create_task(self._connect())
        either: list[asyncio.Future[Any]] = [connecting, self._over]
        try:
            await asyncio.wait(either, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            connecting.cancel()
            connecting.add_done_callback(_look_at_end)
        if self._over.done():
            return self._over.result()
        if not connecting.done() or connecting.cancelled():
            return self._why_not(TimeoutError())
        error = connecting.exception()
        return None if error is None else self._why_not(error)

    async def _stay(self) -> Ending:
        self._up = True
        log.info("connected")
        self._post(on.LinkUp())
        return await self._watch()

    async def _connect(self) -> None:
        login = self._login
        auth = wire.ConnectAuth(PROTOCOL_VERSION, login.token, login.client, login.device)
        await self._client.connect(
            login.address.origin,
            auth=wire.plain(auth),
            transports=["websocket"],
            namespaces=["/"],
            socketio_path=login.address.socketio_path,
            wait_timeout=WAIT_S,
        )

    async def _watch(self) -> Ending:
        """Until it ends, or nothing was heard for too long by a clock that nobody sets."""
        # a server may close so early that python-socketio tells nobody; that nobody reads any more shows it
        reading = self._client.eio.read_loop_task
        while True:
            silent = self._loop.time() - self._heard
            if silent >= SILENCE_S:
                return self._ending(self._words.no_answer(self._login.address.host))
            await asyncio.wait([self._over, reading], timeout=SILENCE_S - silent, return_when=asyncio.FIRST_COMPLETED)
            if self._over.done():
                return self._over.result()
            if reading.done():
                return self._ending()

    async def _close(self) -> None:
        """Nothing of the attempt is left: the library leaves its loops and its socket behind after some errors."""
        self._up = False
        engine = self._client.eio
        for task in self._tasks:
            task.cancel()
        with contextlib.suppress(Exception):
            await asyncio.wait_for(self._client.disconnect(), CLOSE_S)
        for task in (engine.read_loop_task, engine.write_loop_task):
            if task is not None:
                task.cancel()
        if engine.ws is not None:
            with contextlib.suppress(Exception):
                await asyncio.wait_for(engine.ws.close(), CLOSE_S)
        with contextlib.suppress(ValueError):
            engineio.base_client.connected_clients.remove(engine)
        await self._http.close()

    def _why_not(self, error: BaseException) -> Ending:
        if self._refused is not None:
            return self._refused
        if self._cause is not None or isinstance(error, TimeoutError):
            error = self._cause or error
        found = Explain(self._login.address, self._words).error(error)
        log.info("no connection: %s", found)
        return Ending(str(found), grave=not isinstance(found, UnreachableError))

    def _ending(self, problem: str = "", code: str = "", *, fatal: bool = False, wait_s: float | None = None) -> Ending:
        return Ending(problem, code, fatal, wait_s, was_good=self._good)

    def _end(self, ending: Ending) -> None:
        if not self._over.done():
            self._over.set_result(ending)

    # -- what the server says -------------------------------------------------------------------------------------

    def _on_connect(self) -> None:
        """The library notes it later, and passes over a DISCONNECT that comes before."""
        self._client.connected = True

    def _on_connect_error(self, data: Any = None) -> None:
        if not isinstance(data, dict):
            return
        more = data.get("data")
        more = more if isinstance(more, dict) else {}
        code, wait_s = str(more.get("code", "")), _seconds(more.get("retry_after_s"))
        log.info("connect refused: %s (%s)", text.one_line(code), text.one_line(str(data.get("message", ""))))
        fatal = more.get("fatal") is True or code in FATAL
        self._refused = Ending(refusals.sentence(self._words, code, wait_s=wait_s), code, fatal, wait_s)

    def _on_disconnect(self, _reason: Any = None) -> None:
        self._end(self._ending())

    def _on_event(self, data: Any = None, *_more: Any) -> None:
        self._heard = self._loop.time()
        event = self._parsed(wire.Event, data)
        if event is not None:
            log.info("event %s received", event.id)
            self._intake.push(event)

    def _on_head(self, data: Any = None, *_more: Any) -> None:
        self._heard = self._loop.time()
        head = self._parsed(wire.Head, data)
        if head is not None:
            self._intake.push(head)

    def _on_bye(self, data: Any = None, *_more: Any) -> None:
        bye = self._parsed(wire.Bye, data)
        if bye is not None:
            fatal = bye.fatal or bye.code in FATAL
            self._end(self._ending(code=bye.code, fatal=fatal, wait_s=bye.after_ms / 1000))

    def _parsed(self, type_: type[Any], data: Any) -> Any:
        try:
            return wire.parse(type_, data)
        except msgspec.ValidationError as error:
            log.warning("%s from the server is not understood: %s", type_.__name__, error)
            return None

    # -- what we ask ----------------------------------------------------------------------------------------------

    def request(self, effect: Request) -> None:
        if not self._up:
            return
        task = self._loop.create_task(self._ask(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _ask(self, effect: Request) -> None:
        try:
            answer = await self._answered(effect)
        except (NoAnswerError, socketio.exceptions.SocketIOError, msgspec.MsgspecError) as error:
            log.info("no answer to %s: %s", type(effect).__name__, error)
            self._end(self._ending(self._words.no_answer(self._login.address.host)))
            return
        if self._up and answer is not None:
            self._post(answer)

    async def _answered(self, effect: Request) -> on.LinkEvent | None:
        match effect:
            case do.RequestSync(epoch, after):
                return self._sync_answer(effect, await self._call(names.SYNC, wire.Sync(epoch, after)))
            case do.SendMessage(cid):
                return self._send_answer(cid, await self._call(names.SEND, _send(effect)))
            case do.SendRead(ids):
                raw = await self._call(names.READ, wire.Read(ids=list(ids)))
                refusal = self._refusal(raw)
                return on.ReadAnswered(ids) if refusal is None else on.ReadFailed(ids, refusal.code)
            case do.SendAck(epoch, seq):
                await self._call(names.ACK, wire.Ack(epoch, seq))
                return None

    async def _call(self, name: str, payload: msgspec.Struct) -> Any:
        try:
            answer = await self._client.call(name, wire.plain(payload), timeout=limits.ANSWER_S)
        except socketio.exceptions.TimeoutError:
            raise NoAnswerError(name) from None
        self._heard = self._loop.time()
        return answer

    def _sync_answer(self, request: do.RequestSync, raw: Any) -> on.LinkEvent:
        refusal = self._refusal(raw)
        if refusal is not None:
            return on.SyncFailed(request, refusal.retry_after_s)
        answer = wire.parse(wire.SyncAnswer, raw)
        self._good = True
        return on.SyncAnswered(request, answer)

    def _send_answer(self, cid: str, raw: Any) -> on.LinkEvent:
        refusal = self._refusal(raw)
        if refusal is not None:
            log.info("%s refused: %s (%s)", cid, text.one_line(refusal.code), text.one_line(refusal.message))
            return on.SendFailed(cid, refusal.code, tuple(refusal.names), refusal.retry_after_s)
        answer = wire.parse(wire.SendAnswer, raw)
        return on.SendAnswered(cid, answer.id, answer.seq)

    def _refusal(self, raw: Any) -> wire.Refusal | None:
        if isinstance(raw, dict) and raw.get("ok") is True:
            return None
        try:
            return wire.parse(wire.Refusal, raw)
        except msgspec.ValidationError:
            return wire.Refusal(code=Code.INTERNAL, message="this answer is not understood")

    # -- why it did not work --------------------------------------------------------------------------------------

    def _trace(self) -> aiohttp.TraceConfig:
        """python-socketio hides what went wrong below it; the trace sees it."""
        trace = aiohttp.TraceConfig()
        trace.on_request_exception.append(self._on_exception)
        trace.on_request_end.append(self._on_response)
        return trace

    async def _on_exception(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestExceptionParams
    ) -> None:
        self._cause = params.exception

    async def _on_response(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestEndParams
    ) -> None:
        response = params.response
        if response.status != 101:
            self._cause = aiohttp.WSServerHandshakeError(
                response.request_info, (), status=response.status, message=response.reason or ""
            )


def _look_at_end(task: asyncio.Task[None]) -> None:
    """What was given up may still fail, and nobody wants to know."""
    if not task.cancelled():
        task.exception()


def _send(effect: do.SendMessage) -> wire.Send:
    to = None if effect.reply_to else list(effect.to)
    return wire.saying(wire.Send, effect.content, cid=effect.cid, to=to, reply_to=effect.reply_to)


def _seconds(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value < 86400 else None
