"""Lists in statements, of a few constant sizes: they are prepared once, and few, whatever the number of values."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

from deskbell_server.store.database import Connection

_SIZES = (1, 2, 8, 64, 512)
_ROWS = (64, 16, 4, 1)


def chunks(values: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Pairs of `?,?,…` and as many values; the last value is repeated to fill up, which an `IN` does not notice."""
    for start in range(0, len(values), _SIZES[-1]):
        part = list(values[start : start + _SIZES[-1]])
        size = next(size for size in _SIZES if size >= len(part))
        yield ",".join("?" * size), part + [part[-1]] * (size - len(part))


def select(
    connection: Connection, sql: str, values: Sequence[Any], *, before: Sequence[Any] = (), after: Sequence[Any] = ()
) -> list[Any]:
    """Rows of `sql`, in which `{}` stands for the list; `before` and `after` are its other values on either side."""
    found: list[Any] = []
    for marks, part in chunks(values):
        found += connection.execute(sql.format(marks), [*before, *part, *after]).fetchall()
    return found


def insert(connection: Connection, into: str, rows: Sequence[Sequence[Any]], conflict: str = "") -> None:
    """`into` goes before the values, `conflict` behind them. Few statements: each step of one lets other threads in."""
    start = 0
    for size in _ROWS:
        while len(rows) - start >= size:
            part = rows[start : start + size]
            marks = _marks(len(part[0]), size)
            connection.execute(f"{into} VALUES {marks} {conflict}", list(chain.from_iterable(part)))
            start += size


@cache
def _marks(columns: int, rows: int) -> str:
    return ",".join(["(" + ",".join("?" * columns) + ")"] * rows)
