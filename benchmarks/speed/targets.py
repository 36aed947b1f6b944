"""What is promised: each row compares a figure of Deskbell with a bound, or with another server's of the same run."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Results = Mapping[str, Mapping[str, list[float]]]
"""Figures by measure, then by variant: one for each round."""


@dataclass(frozen=True)
class Target:
    """Met when the median of `ours` is at least (or at most) `bound` times that of `theirs`; without it, `bound`."""

    title: str
    measure: str
    unit: str
    sense: Literal[">=", "<="]
    bound: float
    theirs: str | None = None
    ours: str = "deskbell"

    @property
    def promise(self) -> str:
        sign = "≥" if self.sense == ">=" else "≤"
        return f"{sign} {self.bound:g} ×" if self.theirs else f"{sign} {self.bound:g} {self.unit}"


@dataclass(frozen=True)
class Verdict:
    """`ratio` is None where nothing was compared; `met` is None where something was not measured."""

    target: Target
    ours: float | None
    theirs: float | None
    ratio: float | None
    met: bool | None


TARGETS = (
    Target("1:1 messages/s, durable, acknowledged, 64 outstanding", "acked", "/s", ">=", 2.5, "node_sql"),
    Target("1:1 messages/s, durable, acknowledged, 64 outstanding", "acked", "/s", ">=", 4.0, "stock"),
    Target("1:1 messages/s, durable, beside Node without a database", "acked", "/s", ">=", 1.0, "node"),
    Target("processor a message, 64 outstanding", "cpu_us_per_message", "µs", "<=", 120.0),
    Target("processor a message, 1,000 a second", "cpu_us_at_rate", "µs", "<=", 420.0),
    Target("p99 send → delivered at 1,000 messages/s, durable, fresh server", "p99_fresh", "ms", "<=", 1.0, "node_sql"),
    Target("p99 send → delivered at 1,000 messages/s, after saturation", "p99_at_rate", "ms", "<=", 1.25, "node_sql"),
    Target("p99 send → delivered at 1,000 messages/s, fresh server", "p99_fresh", "ms", "<=", 3.0, "node"),
    Target("announcement to 10,000, commit included, until the first has it", "announce_first", "ms", "<=", 10.0),
    Target("announcement to 10,000, commit included, until the last has it", "announce_last", "ms", "<=", 0.85, "node"),
    Target("announcements back to back, joined writes, deliveries/s", "sustained", "/s", ">=", 3.0, "node"),
    Target("announcements back to back, joined writes, deliveries/s", "sustained", "/s", ">=", 1.0, "ceiling"),
    Target("memory per idle connection, 10,000 of them", "kib_per_connection", "KiB", "<=", 8.0),
    Target("memory per idle connection, 10,000 of them", "kib_per_connection", "KiB", "<=", 0.5, "node"),
    Target("idle CPU of 5,000 clients", "idle_cpu_percent", "%", "<=", 0.5, "node"),
    Target("connects/s, 1,000 clients", "connect_1000", "/s", ">=", 1.0, "node"),
    Target("connects/s, 10,000 clients", "connect_10000", "/s", ">=", 1.0, "node"),
    Target("5,000 leave at once: longest time the loop was blocked", "leave_blocked", "ms", "<=", 100.0),
    Target("5,000 leave at once: time for each", "leave_us_each", "µs", "<=", 150.0),
    Target("p50 of 1:1 while 4,900 others get announcements back to back", "mixed_p50", "ms", "<=", 0.1, "node"),
    Target("2,000 back after kill -9, from the port's first answer", "storm_s", "s", "<=", 1.0, "node"),
    Target("HTTP publishes/s, durable, 32 connections", "http", "/s", ">=", 6.0, "baseline"),
    Target("HTTP publish, p50", "http_p50", "ms", "<=", 6.0),
    Target("jitter: delivered, once and in order", "jitter_share", "%", ">=", 100.0),
    Target("avalanche: delivered after a stop", "avalanche_stop_share", "%", ">=", 100.0),
    Target("avalanche: delivered after kill -9", "avalanche_kill_share", "%", ">=", 100.0),
    Target("avalanche: all back after kill -9", "avalanche_kill_s", "s", "<=", 1.0, "node"),
)


def judge(target: Target, results: Results) -> Verdict:
    ours = median(results, target.measure, target.ours)
    if target.theirs is None:
        return Verdict(target, ours, None, None, None if ours is None else _holds(target, ours))
    theirs = median(results, target.measure, target.theirs)
    if ours is None or not theirs:
        return Verdict(target, ours, theirs, None, None)
    ratio = ours / theirs
    return Verdict(target, ours, theirs, ratio, _holds(target, ratio))


def _holds(target: Target, value: float) -> bool:
    return value >= target.bound if target.sense == ">=" else value <= target.bound


def median(results: Results, measure: str, variant: str) -> float | None:
    values = results.get(measure, {}).get(variant)
    return statistics.median(values) if values else None


def spread(values: list[float]) -> float:
    """How far the rounds are apart: the middle half's width where there are enough, else all of it; over the median."""
    middle = statistics.median(values)
    if len(values) < 2 or not middle:
        return 0.0
    if len(values) >= 4:
        low, _, high = statistics.quantiles(values, n=4, method="inclusive")
        return (high - low) / middle
    return (max(values) - min(values)) / middle
