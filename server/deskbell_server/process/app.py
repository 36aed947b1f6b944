"""The composition root of `serve`: builds every part, runs them, and ends them in order."""

import gc
import logging
import signal
import ssl
import time
from collections.abc import Callable
from functools import lru_cache

import gevent
from flask import Flask

from deskbell_protocol import limits
from deskbell_protocol.errors import Code
from deskbell_server.clock import Ages
from deskbell_server.delivery.attendant import Attendant
from deskbell_server.delivery.delivery import Delivery
from deskbell_server.delivery.feed import Feed
from deskbell_server.delivery.presence import Presence
from deskbell_server.delivery.shared_presence import SharedPresence
from deskbell_server.edge.gate import BODY_S, Gate, InFlight
from deskbell_server.edge.health import Health
from deskbell_server.edge.proxies import Proxies
from deskbell_server.errors import SetupError, cannot_listen
from deskbell_server.ingest import direct, socket
from deskbell_server.ingest.http import Api
from deskbell_server.ingest.redis import StreamDoor
from deskbell_server.ingest.redis_channel import ChannelDoor
from deskbell_server.ingest.redis_entries import Publisher
from deskbell_server.limiter import Limiter, Rate
from deskbell_server.messaging.messages import Messages
from deskbell_server.messaging.reading import Reading
from deskbell_server.messaging.scheduled import Scheduled
from deskbell_server.people import addresses, guessing
from deskbell_server.people.people import People
from deskbell_server.process import logs
from deskbell_server.process.config import Settings
from deskbell_server.process.services import open_people
from deskbell_server.process.serving import serving
from deskbell_server.redis.hints import Hints
from deskbell_server.redis.link import Loop
from deskbell_server.redis.subscription import Subscription
from deskbell_server.store import log as log_rows
from deskbell_server.store.opening import check_durable
from deskbell_server.store.sqlite import Commits
from deskbell_server.transport import Options, make_transport
from deskbell_server.upkeep.housekeeping import Housekeeping
from deskbell_server.upkeep.retention import Pruning, RetentionPolicy
from deskbell_server.web import Web, check_diagnostics

log = logging.getLogger(__name__)

PUBLISH_BURST = 100.0
PLACES = 4096
"""Addresses of which it is remembered what they count as."""
READING = Rate(per_s=50, burst=200)
DRAIN_S = 10.0
PATIENCE_S = limits.ANSWER_S - 0.3
BACK_AFTER_MS = 1000
GC_THRESHOLDS = (50_000, 20, 100)
"""Almost nothing here is in a cycle, and each collection stands in the way of everybody's messages."""


class Server:
    """All parts of one running server; each is made here and nowhere else."""

    def __init__(self, settings: Settings, people: People) -> None:
        self._settings = settings
        database = people.database
        self.flask = Flask("deskbell_server", static_folder=None)
        self.flask.url_map.merge_slashes = False  # or it would redirect, to whatever `Host` says
        self._http = InFlight(self.flask)
        proxies = Proxies.named(settings.trusted_proxy)
        self.transport = make_transport(
            self.flask,
            Options(
                kind="stock" if settings.transport == "stock" else "native",
                polling=settings.polling,
                allowed_origins=settings.allowed_origin,
                environ=proxies.see_through,
                place=lru_cache(PLACES)(lambda address: "" if proxies.trusts(address) else guessing.place(address)),
                unknown=socket.unknown,
                body_bytes=2 * limits.REQUEST_BYTES,  # a little too long is still answered by the door, in its words
                body_s=BODY_S,
            ),
        )
        proxies.install(self.flask)  # outermost: long polling is seen so, too
        presence = Presence()
        place = database.read(log_rows.end)
        self._delivery = Delivery(self.transport, presence, place)
        publishing = Limiter(Rate(settings.publish_rate, PUBLISH_BURST))
        storage = settings.storage
        self._messages = Messages(database, publishing, people.clock.now)
        reading = Reading(database, Limiter(READING), people.clock.now, self._delivery.synced)
        scheduled = Scheduled(database, people.clock.now)
        self._messages.on_scheduled = scheduled.on_scheduled
        attendant = Attendant(database, people.devices, presence, self._delivery)
        people.devices.on_revoked(self._delivery.close_devices)
        worker = settings.worker
        ages = Ages(people.clock)
        keeping = Housekeeping(database, people.devices, ages)
        attending = attendant.loop()
        self._loops: list[Callable[[], None]] = [attending.run, scheduled.loop().run, keeping.loop().run]
        self._redis: list[Loop] = []
        hints = self._use_redis(storage.redis, people) if storage.redis else None
        feed = Feed(place)
        database.follow(feed.own, feed.look, (hints or self._delivery).passed)
        kept = RetentionPolicy(settings.retention_days or None, settings.retention_events or None)
        if not kept.everything:
            self._loops.append(Pruning(database, ages).loop(kept).run)
        self._shared_presence = SharedPresence(database, presence) if settings.worker or storage.postgres else None
        if self._shared_presence:
            self._loops.append(self._shared_presence.loop().run)
        web = Web(
            people,
            self._messages,
            self._shared_presence or presence,
            self.transport,
            settings.allowed_origin,
            settings.polling,
            settings.diagnostics,
        )
        Gate(people.devices, web.sessions()).install(self.flask)
        web.install(self.flask)
        self._setup = web.setup(worker.setup_secret if worker else "")
        api = Api(people.accounts, people.devices, people.groups, self._messages, reading, scheduled)
        self.flask.register_blueprint(api.blueprint())
        self.transport.route("POST", direct.PATH, direct.DirectDoor(people.devices, self._messages).answer)
        self.flask.register_blueprint(self._setup.blueprint())
        self.flask.register_blueprint(Health(database, attending, self._has_redis, people.clock).blueprint())
        socket.SocketDoor(self.transport, people.devices, presence, attendant, self._messages, reading).register()

    def run(self, say: Callable[[str], None]) -> None:
        """Serves until SIGTERM or SIGINT. `say` tells the person at the terminal."""
        link = self._setup.link()  # before anybody is answered: whoever is must not see it end because a disk hangs
        running = [gevent.spawn(run) for run in self._loops]
        worker = self._settings.worker
        if worker:
            running.append(gevent.spawn(self._end_with_parent, worker.pipe))
        handlers = [gevent.signal_handler(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)]
        self._ending = False
        for loop in self._redis:
            loop.start()
        try:
            self.transport.serve(
                self._settings.host,
                self._settings.port,
                ssl_context=_tls(self._settings),
                reuse_port=worker is not None,
                on_ready=lambda: self._ready(say, link),
            )
        except OSError as problem:
            raise cannot_listen(self._settings.host, self._settings.port, problem) from problem
        finally:
            for loop in self._redis:
                loop.stop()
            gevent.killall(running)
            if self._shared_presence:
                self._shared_presence.close()
            for handler in handlers:
                handler.cancel()

    def _use_redis(self, url: str, people: People) -> Hints:
        subscription = Subscription(url)
        hints = Hints(url, subscription, people.database, self._delivery)
        publisher = Publisher(people.devices, self._messages)
        ChannelDoor(url, subscription, publisher, gevent.spawn)
        self._redis += [subscription.loop, StreamDoor(url, publisher, gevent.spawn).loop]
        self._loops.append(hints.run)
        return hints

    def _has_redis(self) -> bool:
        """Whether all works that was asked of it."""
        return not any(loop.problem for loop in self._redis)

    def _ready(self, say: Callable[[str], None], link: str | None) -> None:
        scheme = "https" if self._settings.tls_cert else "http"
        address = f"{scheme}://{openable(self._settings.host)}:{self.transport.port}"
        worker = self._settings.worker
        if worker is None or worker.number == 1:
            self._tell(say, address, worker.of if worker else 1, link)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GC_THRESHOLDS)
        log.info("listening on %s (host %s)", address, self._settings.host)

    def _tell(self, say: Callable[[str], None], address: str, workers: int, link: str | None) -> None:
        say(f"Deskbell listens on {address}" + (f" with {workers} processes" if workers > 1 else ""))
        if link:
            say(f"Nobody has an account yet. Within 15 minutes, open {address}{link} to make the first one.")

    def _end_with_parent(self, pipe: int) -> None:
        gevent.get_hub().wait(gevent.get_hub().loop.io(pipe, 1))
        log.warning("the parent process is gone")
        self._end()

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            gevent.spawn(self._drain)

    def _drain(self) -> None:
        """Says goodbye, lets every publish in flight be answered, then stops."""
        log.info("shutting down")
        self._messages.close()
        self._delivery.bye_all(Code.UNAVAILABLE, BACK_AFTER_MS)
        until = time.monotonic() + DRAIN_S
        while (self._messages.in_flight or self._http.count) and time.monotonic() < until:
            gevent.sleep(0.01)
        self.transport.stop(max(1.0, until - time.monotonic()))


def openable(host: str) -> str:
    """The host as it stands in a link; instead of one that means every address of the machine, localhost."""
    address = addresses.parsed(host)
    if address and address.is_unspecified:
        return "localhost"
    return f"[{host}]" if ":" in host else host


def serve(settings: Settings, say: Callable[[str], None]) -> None:
    check_diagnostics(settings.diagnostics, settings.host)
    if settings.storage.postgres and not settings.i_accept_loss:
        check_durable(settings.storage.postgres)
    commits = Commits(settings.database_sync, settings.commit_jobs)
    with open_people(settings.storage, commits, PATIENCE_S, make=True) as people:
        listener = logs.start(
            settings.log_level, settings.storage.logs, settings.worker.number if settings.worker else None
        )
        try:
            with serving(settings.storage):
                Server(settings, people).run(say)
            log.info("stopped")
        finally:
            listener.stop()


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_cert is None:
        if settings.tls_key is not None:
            raise SetupError("--tls-key needs --tls-cert: without a certificate nothing would be encrypted")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(settings.tls_cert, settings.tls_key)
    except (OSError, ssl.SSLError) as problem:
        raise SetupError(f"cannot use the certificate {settings.tls_cert}: {problem}") from problem
    return context
