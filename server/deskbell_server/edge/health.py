"""`/healthz`: whether this server can do its work, for whoever watches it."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response

from deskbell_server.clock import Clock
from deskbell_server.edge.gate import Needs, answer, needs
from deskbell_server.errors import UnavailableError
from deskbell_server.periodic import Periodic
from deskbell_server.store import log as log_rows
from deskbell_server.store.database import Database


@dataclass(frozen=True, slots=True)
class Health:
    database: Database
    attending: Periodic
    has_redis: Callable[[], bool]
    clock: Clock

    def blueprint(self) -> Blueprint:
        found = Blueprint("health", __name__)
        found.add_url_rule("/healthz", "healthz", self.healthz, methods=["GET"])
        return found

    @needs(Needs.NOTHING)
    def healthz(self) -> Response:
        """200 when it can read, and could commit a second ago; else 503. "degraded": only Redis is missing.

        `clock` is there while the machine's clock has leapt, and is not believed.
        """
        try:
            self.database.read(log_rows.end)
            is_well = self.attending.is_well
        except UnavailableError:
            is_well = False
        if not is_well:
            return answer({"status": "unavailable"}, 503)
        leapt = {"clock": "leapt"} if self.clock.has_leapt else {}
        return answer({"status": "ok" if self.has_redis() else "degraded", **leapt})
