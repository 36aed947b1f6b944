"""The one-time page on which the first admin is made; it lands on the admin page, signed in.

Its link is printed at the first start and dies with its use.
"""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, request

from deskbell_protocol.errors import HTTP_STATUS, Code
from deskbell_server.edge.gate import Needs, needs, raw_body
from deskbell_server.errors import RefusedError
from deskbell_server.ingest import setup_page as page
from deskbell_server.people.accounts import Accounts

LIFE_S = 15 * 60.0


@dataclass(slots=True)
class SetupPage:
    """The secret in the link proves that one can read the server's terminal. It stands in the form again, and no cookie
    exists, so no other site can send the form. `welcome` (name, password) answers who has just made the account."""

    accounts: Accounts
    welcome: Callable[[str, str], Response]
    _secret: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _until: float = field(default_factory=lambda: time.monotonic() + LIFE_S)

    def blueprint(self) -> Blueprint:
        found = Blueprint("setup", __name__)
        found.add_url_rule("/setup", "form", self.form, methods=["GET"])
        found.add_url_rule("/setup", "submit", self.submit, methods=["POST"])
        return found

    def link(self) -> str | None:
        """Path and query; None when there is an account already."""
        return None if self.accounts.exist() else f"/setup?secret={self._secret}"

    @needs(Needs.NOTHING)
    def form(self) -> Response:
        if not self._is_open(request.args.get("secret", "")):
            return page.notice(page.word("gone"), 404)
        return page.form(self._secret)

    @needs(Needs.NOTHING)
    def submit(self) -> Response:
        fields = {name: values[0] for name, values in parse_qs(raw_body().decode("utf-8", "replace")).items()}
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            return page.notice(page.word("elsewhere"), 403)
        if not self._is_open(fields.get("secret", "")):
            return page.notice(page.word("gone"), 404)
        name, display, password = (fields.get(key, "") for key in ("name", "display", "password"))
        if password != fields.get("again", ""):
            return page.form(self._secret, name, display, page.word("differ"), 422)
        try:
            party = self.accounts.add(name, password, display=display, admin=True, first=True)
        except RefusedError as refused:
            if refused.code is Code.FORBIDDEN:
                return page.notice(page.word("gone"), 404)
            text = page.word("refused", message=refused.message)
            return page.form(self._secret, name, display, text, HTTP_STATUS[refused.code])
        self._until = 0.0
        return self.welcome(party.name, password)

    def _is_open(self, secret: str) -> bool:
        matches = hmac.compare_digest(secret.encode(), self._secret.encode())
        return matches and time.monotonic() < self._until and not self.accounts.exist()
