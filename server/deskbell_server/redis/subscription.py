"""What this process hears over Redis: one subscription to all channels, in one native thread.

A beat that nobody else hears must come back; when it stays away, the link is renewed and the server is degraded.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any

from deskbell_server.redis.link import Loop, make_client

BEAT_S = 1.0
SILENCE_S = 3.5
"""Without the beat for so long, the link is no good."""


class Subscription:
    """Whoever registers is called in the thread: with what came on a channel, before each beat, and at a loss."""

    def __init__(self, url: str) -> None:
        self._client = make_client(url)
        self._beat = f"deskbell:beat:{secrets.token_hex(8)}"
        self._heard: dict[bytes, Callable[[bytes], None]] = {}
        self._beats: list[Callable[[], None]] = []
        self._losses: list[Callable[[], None]] = []
        self._pubsub: Any = None
        self._back_at = 0.0
        self.on(self._beat, self._came_back)
        self.loop = Loop("subscription", self._turn, self._lost)

    def on(self, channel: str, heard: Callable[[bytes], None]) -> None:
        """Before the loop is started."""
        self._heard[channel.encode()] = heard

    def on_beat(self, beat: Callable[[], None], lost: Callable[[], None]) -> None:
        self._beats.append(beat)
        self._losses.append(lost)

    def _turn(self) -> None:
        """From one beat to the next: only when it came back, all is well."""
        if self._pubsub is None:
            self._pubsub = self._client.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
            self._pubsub.subscribe(*self._heard)
        since = time.monotonic()
        for beat in self._beats:
            beat()
        self._client.publish(self._beat, b"")
        while (self._back_at < since or time.monotonic() < since + BEAT_S) and not self.loop.is_ending:
            found = self._pubsub.get_message(timeout=0.5)
            if found is not None:
                self._heard[found["channel"]](found["data"])
            elif self._back_at < since < time.monotonic() - SILENCE_S:
                raise OSError("no beat came back")

    def _came_back(self, _: bytes) -> None:
        self._back_at = time.monotonic()

    def _lost(self) -> None:
        for lost in self._losses:
            lost()
        pubsub, self._pubsub = self._pubsub, None
        if pubsub is not None:
            pubsub.close()
