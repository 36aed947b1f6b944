"""The one-time page on which the first admin is made; it lands on the admin page, signed in.

Its link is printed at the first start and dies with its use.
"""

import hmac
import html
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from string import Template
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, Response, request

from deskbell_protocol import limits
from deskbell_protocol.errors import HTTP_STATUS, Code
from deskbell_server.accounts import Accounts
from deskbell_server.errors import RefusedError
from deskbell_server.ingest.web import Needs, needs, raw_body

LIFE_S = 15 * 60.0
POLICY = "default-src 'none'; style-src 'nonce-{}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
GONE = (
    "This link is good for 15 minutes, and only while nobody has an account. On the server's machine,"
    " `deskbell-server --data FOLDER user add NAME --admin` makes an administrator."
)


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
            return _page("Set up Deskbell", _notice(GONE), 404)
        return _page("Set up Deskbell", self._form())

    @needs(Needs.NOTHING)
    def submit(self) -> Response:
        fields = {name: values[0] for name, values in parse_qs(raw_body().decode("utf-8", "replace")).items()}
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            return _page("Set up Deskbell", _notice("This form was sent from another site."), 403)
        if not self._is_open(fields.get("secret", "")):
            return _page("Set up Deskbell", _notice(GONE), 404)
        name, display = fields.get("name", ""), fields.get("display", "")
        password = fields.get("password", "")
        if password != fields.get("again", ""):
            return _page("Set up Deskbell", self._form(name, display, "The two passwords differ."), 422)
        try:
            party = self.accounts.add(name, password, display=display, admin=True, first=True)
        except RefusedError as refused:
            text = GONE if refused.code is Code.FORBIDDEN else refused.message
            return _page("Set up Deskbell", self._form(name, display, text), HTTP_STATUS[refused.code])
        self._until = 0.0
        return self.welcome(party.name, password)

    def _is_open(self, secret: str) -> bool:
        matches = hmac.compare_digest(secret.encode(), self._secret.encode())
        return matches and time.monotonic() < self._until and not self.accounts.exist()

    def _form(self, name: str = "", display: str = "", problem: str = "") -> str:
        return FORM.substitute(
            problem=_notice(problem) if problem else "",
            secret=html.escape(self._secret),
            name=html.escape(name),
            display=html.escape(display),
            name_max=limits.NAME_CHARS,
            display_max=limits.DISPLAY_CHARS,
            min=limits.PASSWORD_CHARS_MIN,
            max=limits.PASSWORD_CHARS_MAX,
        )


def _notice(text: str) -> str:
    return f'<p class="problem" role="alert">{html.escape(text)}</p>'


def _page(title: str, content: str, status: int = 200) -> Response:
    nonce = secrets.token_urlsafe(16)
    body = PAGE.substitute(title=html.escape(title), nonce=nonce, content=content)
    response = Response(body, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY.format(nonce)
    response.headers["Referrer-Policy"] = "same-origin"  # with none, a browser sends the form as from nowhere
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style nonce="$nonce">
:root { color-scheme: light dark; --ground: #F6F4F0; --surface: #FFFFFF; --line: #E4DFD6;
  --text: #1E1C19; --soft: #686259; --accent: #8F5B00; --on-accent: #FFFFFF; --bad: #B3402A; }
@media (prefers-color-scheme: dark) { :root { --ground: #171614; --surface: #201E1B; --line: #37332D; --text: #F2EEE7;
  --soft: #A9A296; --accent: #F0B54A; --on-accent: #171614; --bad: #F08A72; } }
body { margin: 0; padding: 48px 16px; background: var(--ground); color: var(--text);
  font: 14px/1.45 system-ui, sans-serif; }
main { max-width: 360px; margin: 0 auto; padding: 24px; background: var(--surface); border: 1px solid var(--line);
  border-radius: 12px; }
h1 { margin: 0 0 8px; font-size: 16px; font-weight: 600; }
p { margin: 0 0 16px; color: var(--soft); }
strong { color: var(--text); }
a { color: var(--accent); }
label { display: block; margin-bottom: 16px; font-size: 13px; color: var(--soft); }
input { display: block; box-sizing: border-box; width: 100%; margin-top: 4px; padding: 8px; font: inherit;
  font-size: 14px; color: var(--text); background: var(--ground); border: 1px solid var(--line); border-radius: 8px; }
input:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
button { width: 100%; padding: 8px 16px; font: inherit; font-weight: 600; color: var(--on-accent);
  background: var(--accent); border: 0; border-radius: 8px; cursor: pointer; }
.problem { color: var(--bad); }
</style>
<main>
<h1>$title</h1>
$content
</main>
</html>
""")

FORM = Template("""<p>Make the first account. It may manage this server and write to everyone.</p>
$problem<form method="post" action="/setup" autocomplete="off">
<input type="hidden" name="secret" value="$secret">
<label>Name <input name="name" value="$name" maxlength="$name_max" required autofocus autocapitalize="none"></label>
<label>Shown as (may stay empty) <input name="display" value="$display" maxlength="$display_max"></label>
<label>Password, at least $min characters
<input name="password" type="password" minlength="$min" maxlength="$max" required autocomplete="new-password"></label>
<label>The password again
<input name="again" type="password" minlength="$min" maxlength="$max" required autocomplete="new-password"></label>
<button>Make the account</button>
</form>""")
