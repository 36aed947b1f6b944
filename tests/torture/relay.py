"""A bad network: TCP relays on loopback that cut, stall, trickle, go silent, or answer like a broken proxy."""

import asyncio
import contextlib
import random
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any

WRONG_ANSWERS = {
    "empty 200": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTML 200": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<html>Log in</html>\n",
    "malformed OPEN": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\n0{}",
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "503": b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "half a handshake": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso",
    "upgraded to garbage": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n\xff",
    "no HTTP": b"220 mail ready\r\n",
    "nothing": b"",
}
REDIRECT = "HTTP/1.1 301 Moved Permanently\r\nLocation: http://127.0.0.1:{port}/\r\nContent-Length: 0\r\n\r\n"
READ = 1 << 16


class Link:
    """One relayed connection."""

    def __init__(self, writers: list[asyncio.StreamWriter]) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.silent = False
        self.trickling = False
        self._writers = writers

    def go_silent(self) -> None:
        self.silent = True

    def trickle(self, trickling: bool) -> None:
        self.trickling = trickling

    def abort(self) -> None:
        """Both ends see a reset."""
        for writer in self._writers:
            raw = writer.get_extra_info("socket")
            if raw is not None:
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            writer.transport.abort()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(READ):
                await self.open.wait()
                if self.silent:
                    continue
                while self.trickling and data:
                    writer.write(data[:1])
                    await writer.drain()
                    data = data[1:]
                    await asyncio.sleep(1)
                writer.write(data)
                await writer.drain()
            if not self.silent:
                writer.write_eof()
        except (OSError, RuntimeError):
            self.abort()


class Relay:
    """Forwards `port` to one of `targets`. The methods are for the network's owner, from any thread."""

    def __init__(self, network: "Network", targets: Callable[[], list[int]], chance: random.Random) -> None:
        self._network = network
        self._targets = targets
        self._chance = chance
        self._links: set[Link] = set()
        self._wrong: bytes | None = None
        self._swallows = False
        self.port = 0

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._wrong is not None:
            await self._answer_wrongly(reader, writer, self._wrong)
            return
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", self._chance.choice(self._targets()))
        except OSError:
            writer.transport.abort()
            return
        link = Link([writer, forth])
        link.silent = self._swallows
        self._links.add(link)
        try:
            await asyncio.gather(link.pump(reader, forth), link.pump(back, writer))
        finally:
            self._links.discard(link)
            for end in (writer, forth):
                end.close()

    async def _answer_wrongly(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: bytes) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(2):
                await reader.read(READ)
                writer.write(answer)
                await writer.drain()
        writer.close()

    # -- trouble ------------------------------------------------------------------------------------------------------

    def cut(self) -> None:
        self._each(Link.abort)

    def stall(self, stalled: bool) -> None:
        self._each(lambda link: link.open.clear() if stalled else link.open.set())

    def go_silent(self) -> None:
        """Half open: what is connected now stays so, and nothing passes any more."""
        self._each(Link.go_silent)

    def swallow(self, swallows: bool) -> None:
        """A black hole: what stands and what is opened meanwhile goes silent; reset afterwards."""
        self._swallows = swallows
        self._each(lambda link: link.go_silent() if swallows else link.abort() if link.silent else None)

    def trickle(self, trickling: bool) -> None:
        """A byte a second, for what is connected now."""
        self._each(lambda link: link.trickle(trickling))

    def answer_wrongly(self, answer: bytes | None) -> None:
        """All new connections; those that stand are cut, or nothing would be asked."""
        self._wrong = answer
        if answer is not None:
            self.cut()

    def heal(self) -> None:
        """As a network is: what went silent is reset, all else goes on."""
        self._wrong, self._swallows = None, False
        self.stall(False)
        self.trickle(False)
        self._each(lambda link: link.abort() if link.silent else None)

    def _each(self, act: Callable[[Link], None]) -> None:
        def all_of_them() -> None:
            for link in tuple(self._links):
                act(link)

        self._network.loop.call_soon_threadsafe(all_of_them)


class Trap:
    """Where a redirect points to: whatever arrives there is a leak."""

    def __init__(self) -> None:
        self.heard = b""
        self.port = 0

    async def listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            self.heard += await reader.read(READ)
        writer.close()

    @property
    def redirect(self) -> bytes:
        return REDIRECT.format(port=self.port).encode()


class Network:
    """The thread on which all relays run."""

    def __init__(self, chance: random.Random) -> None:
        self.loop = asyncio.new_event_loop()
        self._chance = chance
        self._servers: list[asyncio.Server] = []
        self._thread = threading.Thread(target=self.loop.run_forever, name="relays", daemon=True)
        self._thread.start()
        self.trap = Trap()
        self._servers.append(self._run(self.trap.listen()))

    def relay(self, targets: Callable[[], list[int]]) -> Relay:
        relay = Relay(self, targets, self._chance)
        self._servers.append(self._run(relay.listen()))
        return relay

    def close(self) -> None:
        self._run(self._end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    async def _end(self) -> None:
        for server in self._servers:
            server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.05)  # the transports close in the loop's next turns

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)
