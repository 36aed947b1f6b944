"""Where log lines go: to the terminal, and to a file in the data folder, written by a native thread."""

import logging
import os
import sys
import time
from logging.handlers import QueueHandler, QueueListener, RotatingFileHandler
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, cast

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
FILE_BYTES = 10 << 20
FILES = 5
GATHER_S = 0.02
_FIXED = frozenset({str, int, float, bool, bytes, type(None)})


def start(level: str, folder: Path, worker: int | None = None) -> QueueListener:
    """Begins logging; `stop()` of what is returned writes out what waits. Each process has a file of its own."""
    _leave_out_what_no_line_shows()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    terminal = logging.StreamHandler(sys.stderr)
    file = LogFile(
        folder / ("server.log" if worker is None else f"server-{worker}.log"),
        maxBytes=FILE_BYTES,
        backupCount=FILES,
        encoding="utf-8",
    )
    for handler in (terminal, file):
        handler.setFormatter(OneLine(FORMAT))
    queue: SimpleQueue[Any] = SimpleQueue()
    listener = Gathering(queue, terminal, file)
    listener.start()
    root = logging.getLogger()
    root.handlers[:] = [Queued(queue)]
    root.setLevel(logging.WARNING)
    logging.getLogger("deskbell_server").setLevel(level.upper())
    return listener


def _leave_out_what_no_line_shows() -> None:
    """Thread, process and place in the code: looked up for every line otherwise. Source: "Optimization" of logging."""
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001


class Gathering(QueueListener):
    """A line wakes this thread, and those of the next moment are written with it: each wake-up stops the loop."""

    def dequeue(self, block: bool) -> Any:
        waiting = cast("SimpleQueue[Any]", self.queue)
        try:
            return waiting.get_nowait()
        except Empty:
            if not block:
                raise
        record = waiting.get()
        time.sleep(GATHER_S)
        return record


class Queued(QueueHandler):
    """Formatting is the listener's work, where the values of a line cannot change until then."""

    def prepare(self, record: logging.LogRecord) -> Any:
        if (
            record.exc_info is None
            and type(record.args) is tuple
            and all(type(value) in _FIXED for value in record.args)
        ):
            return record
        return super().prepare(record)


class LogFile(RotatingFileHandler):
    """A full disk takes no lines: they still go to the terminal, which is told once until the disk takes them again."""

    _told = False

    def shouldRollover(self, _record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        """By what stands there: the line itself is not made for it, and may be too much."""
        size = 0 if self.stream is None else os.fstat(self.stream.fileno()).st_size
        return 0 < self.maxBytes <= size

    def flush(self) -> None:
        super().flush()
        self._told = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        problem = sys.exc_info()[1]
        if not isinstance(problem, OSError):
            super().handleError(record)
        elif not self._told:
            self._told = True
            sys.stderr.write(f"cannot write {self.baseFilename}: {problem.strerror}\n")


class OneLine(logging.Formatter):
    """A message that came from outside cannot look like another log line; only tracebacks have several. Made once."""

    def format(self, record: logging.LogRecord) -> str:
        line: str | None = getattr(record, "line", None)
        if line is None:
            record.line = line = super().format(record)
        return line

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")
