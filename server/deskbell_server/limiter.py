"""How often somebody may do something: token buckets by key. Pure: the caller passes the monotonic time in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """`per_s` a second on average, after a burst of `burst`. `per_s` 0 means no limit."""

    per_s: float
    burst: float


@dataclass(slots=True)
class Bucket:
    """What one key still has, and when that was reckoned."""

    remaining: float
    at: float


class Limiter:
    """Buckets by key; full ones are forgotten, so memory follows those who were busy lately."""

    def __init__(self, rate: Rate, keys_max: int = 20_000) -> None:
        self._rate = rate
        self._keys_max = keys_max
        self._buckets: dict[str, Bucket] = {}

    def take(self, key: str, now: float) -> float:
        """Takes one. 0.0 when there was one, else the seconds until there is (and nothing is taken)."""
        if not self._rate.per_s:
            return 0.0
        bucket = self._filled(key, now)
        if bucket.remaining >= 1.0:
            bucket.remaining -= 1.0
            return 0.0
        return (1.0 - bucket.remaining) / self._rate.per_s

    def charge(self, key: str, more: float, now: float) -> None:
        """Takes `more` (less than none: gives back), whatever there is; there may be less than none then."""
        if self._rate.per_s:
            bucket = self._filled(key, now)
            bucket.remaining = min(self._rate.burst, max(-self._rate.burst, bucket.remaining - more))

    def give_back(self, key: str, now: float) -> None:
        """Undoes a `take`."""
        bucket = self._buckets.get(key)
        if bucket is not None:
            bucket.remaining, bucket.at = min(self._rate.burst, self._remaining(bucket, now) + 1.0), now

    def wait(self, key: str, now: float) -> float:
        """Seconds until there is one to take; takes nothing and remembers nothing."""
        bucket = self._buckets.get(key)
        if bucket is None or not self._rate.per_s:
            return 0.0
        remaining = self._remaining(bucket, now)
        return 0.0 if remaining >= 1.0 else (1.0 - remaining) / self._rate.per_s

    def __len__(self) -> int:
        return len(self._buckets)

    def _remaining(self, bucket: Bucket, now: float) -> float:
        return min(self._rate.burst, bucket.remaining + max(0.0, now - bucket.at) * self._rate.per_s)

    def _filled(self, key: str, now: float) -> Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            if len(self._buckets) >= self._keys_max:
                self._forget(now)
            bucket = self._buckets[key] = Bucket(self._rate.burst, now)
        else:
            bucket.remaining, bucket.at = self._remaining(bucket, now), now
        return bucket

    def _forget(self, now: float) -> None:
        """Drops the full buckets; if all are in use, the oldest half, so that a flood of keys cannot grow memory."""
        self._buckets = {k: b for k, b in self._buckets.items() if self._remaining(b, now) < self._rate.burst}
        if len(self._buckets) >= self._keys_max:
            by_age = sorted(self._buckets.items(), key=lambda item: item[1].at)
            self._buckets = dict(by_age[len(by_age) // 2 :])
