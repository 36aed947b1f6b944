"""Redis as this server uses it: never waited for by a request, with short timeouts, and gone at any time."""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from gevent import get_hub

from deskbell_server.errors import SetupError, remedy

if TYPE_CHECKING:
    import redis

log = logging.getLogger(__name__)

TIMEOUT_S = 1.0
AGAIN_S = 0.5
"""Pause before a lost Redis is tried again."""
SCHEMES = ("redis://", "rediss://", "unix://")


def make_client(url: str) -> "redis.Redis":
    """Connects when it is used. SetupError when the URL is none, or the library is missing."""
    try:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry
    except ImportError as problem:
        raise SetupError(f"--redis needs the redis library. {remedy('server,redis')}") from problem
    if not url.startswith(SCHEMES):
        raise SetupError(f"--redis must begin with {' or '.join(SCHEMES)}")
    try:
        return redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
    except ValueError as problem:
        raise SetupError(f"--redis cannot be used: {problem}") from problem


class Loop:
    """A native thread that does `turn` again and again; a lost Redis is said once, and tried again until it is back."""

    def __init__(self, name: str, turn: Callable[[], None], lost: Callable[[], None] = lambda: None) -> None:
        self._name = name
        self._turn = turn
        self._lost = lost
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"deskbell-{name}", daemon=True)
        self.problem = ""
        """Why it cannot work now."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """It ends by itself within its timeouts."""
        self._ending.set()

    def join(self) -> None:
        self._thread.join(3 * TIMEOUT_S)

    @property
    def is_ending(self) -> bool:
        return self._ending.is_set()

    def pause(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def _run(self) -> None:
        import redis

        while not self.is_ending:
            try:
                self._turn()
            except (redis.RedisError, OSError) as problem:
                self._tell(str(problem).strip() or type(problem).__name__)
                self._lost()
                self.pause(AGAIN_S)
            except Exception:
                log.exception("%s failed", self._name)
                self._lost()
                self.pause(AGAIN_S)
            else:
                if self.problem:
                    log.warning("%s: Redis is back", self._name)
                self.problem = ""

    def _tell(self, problem: str) -> None:
        """Each kind of problem once; Redis begins a kind with a word of its own."""
        if problem.split()[0] not in self.problem.split()[:1]:
            log.warning("%s: Redis is lost, or cannot be used: %s", self._name, problem)
        self.problem = problem


def into_loop() -> Callable[..., object]:
    """Runs a function, and its arguments, in this thread's loop; to be called from native threads."""
    run: Callable[..., object] = get_hub().loop.run_callback_threadsafe
    return run
