"""Which jobs share a transaction, and which of them run as one: the same for every database's writer."""

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from deskbell_server.store.wake import Job

J = TypeVar("J", bound=Job)
Together = Callable[..., list[Any]]


def gather(queue: "SimpleQueue[J | None]", group: list[J], most: int) -> bool:
    """Adds what waits by now, until they are `most`. False when the queue has come to its end."""
    while len(group) < most:
        try:
            job = queue.get_nowait()
        except Empty:
            return True
        if job is None:
            return False
        group.append(job)
    return True


def run_together(group: list[J], run: Callable[[Together, list[J]], list[Any]]) -> list[J]:
    """Runs each kind of job that has a `together` as one, by `run`; the rest, which must run alone.

    `group` is then in the order of storing, in which it has to be reported, too.
    """
    kinds: dict[Together | None, list[J]] = {}
    for job in group:
        job.result = job.problem = None
        kinds.setdefault(getattr(job.work, "together", None), []).append(job)
    rest = kinds.pop(None, [])
    for together, jobs in kinds.items():
        results = run(together, jobs) if together is not None else [None] * len(jobs)
        for job, result in zip(jobs, results, strict=True):
            job.result = result
            if result is None:
                rest.append(job)
    in_rest = set(map(id, rest))
    group[:] = [job for job in group if id(job) not in in_rest] + rest
    return rest
