"""Every setting once, with default and help: command line, environment (`DESKBELL_…`) and TOML file fill one table."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deskbell_server.errors import SetupError

PREFIX = "DESKBELL"
DATABASE_NAME = "deskbell.db"
POSTGRES = "postgresql+psycopg"


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `name` is its key in the file, the option's name on the command line, and part of the variable's.

    `default` also tells the type: a tuple may be given several times. `low` and `high` bound a number.
    """

    name: str
    default: bool | int | float | str | Path | tuple[str, ...] | None
    help: str
    choices: tuple[str, ...] = ()
    bare: str = ""
    """What it means when it is given without a value."""
    low: int = 0
    high: int | None = None


COMMON = (
    Option("data", Path.home() / ".local/share/deskbell-server", "Folder for the database and the logs."),
    Option("database", "", "sqlite:///PATH or postgresql+psycopg://…; by default a file in the data folder."),
    Option("redis", "", "redis://HOST:PORT/DB: hints between processes, and the doors deskbell:publish."),
)
"""These stand before the command and serve every command."""

SERVE = (
    Option("host", "127.0.0.1", "Address to listen on."),
    Option("port", 8420, "Port to listen on; 0 picks a free one.", high=65535),
    Option("workers", 1, "Processes that share the port: about as many as there are processors.", low=1, high=64),
    Option("polling", False, "Also allow long polling, for networks that break WebSockets."),
    Option("transport", "native", "Which transport carries Socket.IO.", choices=("native", "stock")),
    Option("publish-rate", 20.0, "Messages a second per account, after a burst of 100; 0: no limit."),
    Option(
        "diagnostics",
        "off",
        "A page and namespace /test for finding out what a network does: for admins, or, with =open, for whoever is on"
        " this machine.",
        choices=("off", "admin", "open"),
        bare="admin",
    ),
    Option("allowed-origin", (), "A web origin allowed to connect, beside this server's own."),
    Option(
        "trusted-proxy",
        (),
        "Address or network of a proxy whose X-Forwarded-For and X-Forwarded-Proto are believed (127.0.0.1).",
    ),
    Option("tls-cert", None, "Certificate chain (PEM file) to serve TLS with."),
    Option("tls-key", None, "Its private key (PEM file)."),
    Option(
        "database-sync",
        "full",
        "When a commit counts: on the disk (full), or a moment before (normal: a power loss may take back what was"
        " acknowledged; for comparisons).",
        choices=("full", "normal"),
    ),
    Option("commit-jobs", 512, "How many waiting messages may share one commit.", low=1, high=10_000),
    Option("retention-days", 0.0, "Forget messages that are older; 0: never."),
    Option("retention-events", 0, "Keep the newest so many messages of each conversation; 0: all."),
    Option("i-accept-loss", False, "Start even where PostgreSQL acknowledges what is not on the disk yet."),
    Option("log-level", "info", "How much is logged.", choices=("debug", "info", "warning", "error")),
)
"""The settings of `serve`; in the file, the table `[serve]`."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Where everything that must survive lies."""

    data: Path
    database: Path
    postgres: str = ""
    """Its URL, when the database is not a file."""
    redis: str = ""

    @property
    def logs(self) -> Path:
        return self.data / "logs"


@dataclass(frozen=True, slots=True)
class Worker:
    """Which of several processes on one port this is. Their pipe ends when the parent does."""

    number: int
    of: int
    port: int
    pipe: int
    parent_end: int
    setup_secret: str

    def numbered(self, number: int) -> "Worker":
        return replace(self, number=number)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `serve` runs with."""

    storage: Storage
    host: str
    port: int
    workers: int
    polling: bool
    transport: str
    publish_rate: float
    diagnostics: str
    allowed_origin: tuple[str, ...]
    trusted_proxy: tuple[str, ...]
    tls_cert: Path | None
    tls_key: Path | None
    database_sync: str
    commit_jobs: int
    retention_days: float
    retention_events: int
    i_accept_loss: bool
    log_level: str
    worker: Worker | None = None

    def of_worker(self, worker: Worker) -> "Settings":
        return replace(self, worker=worker, port=worker.port)


def load(path: Path) -> dict[str, Any]:
    """The file as click's `default_map`; a key that no option has is an error, because it is a typing error."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise SetupError(f"cannot read {path}: {problem}") from problem
    serve = values.pop("serve", {})
    if not isinstance(serve, dict):
        raise SetupError(f"{path}: serve must be a table")
    unknown = sorted(set(values) - {option.name for option in COMMON})
    unknown += [f"serve.{name}" for name in sorted(set(serve) - {option.name for option in SERVE})]
    if unknown:
        raise SetupError(f"{path}: unknown setting {', '.join(unknown)}")
    return _as_parameters(values) | {"serve": _as_parameters(serve)}


def make_storage(data: Path, database: str, redis: str = "") -> Storage:
    if not database:
        return Storage(data, data / DATABASE_NAME, redis=redis)
    scheme, found, rest = database.partition("://")
    if scheme == POSTGRES and rest:
        return Storage(data, data / DATABASE_NAME, database, redis)
    if not found or scheme != "sqlite" or not rest.startswith("/") or len(rest) < 2:
        raise SetupError(f"--database must be sqlite:///PATH or {POSTGRES}://…, not {scheme}://…")
    return Storage(data, Path(rest[1:]), redis=redis)


def _as_parameters(values: dict[str, Any]) -> dict[str, Any]:
    return {name.replace("-", "_"): value for name, value in values.items()}
