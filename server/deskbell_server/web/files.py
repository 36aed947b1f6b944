"""The pages and what they load: files of the resources package, read once, sent compressed.

A page is checked by its ETag. It names what it loads under a folder whose name changes with any of the files, so a
browser asks for each once and keeps it; scripts take one another by relative names, which stay in that folder.
"""

import gzip
import hashlib
import html
import logging
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from deskbell_protocol.errors import Code
from deskbell_resources.files import read, resource
from deskbell_server.edge.gate import Needs, http_failure, needs
from deskbell_server.errors import RefusedError

log = logging.getLogger(__name__)

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "LICENSE": "text/plain; charset=utf-8",
}
CLIENT = "vendor/socket.io.esm.min.js"
UNREAD_MOST = 9
VERSION = "~"
"""How the folder's name begins."""
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    body: bytes
    packed: bytes
    etag: str
    content_type: str


def make_file(name: str, body: bytes) -> File:
    packed = gzip.compress(body, mtime=0)
    return File(body, packed, hashlib.sha256(body).hexdigest()[:32], TYPES[name.rpartition(".")[2]])


@dataclass(frozen=True, slots=True)
class Files:
    """`diagnostics`: whether there is that page. Everything lies in memory: it is small, and a page is many files."""

    diagnostics: bool
    _found: dict[str, File] = field(default_factory=dict)

    def blueprint(self) -> Blueprint:
        for path, body in _walk(resource("web"), ""):
            self._found[path] = make_file(path, body)
        self._add_icons()
        self._add_version()
        if CLIENT not in self._found:
            log.warning("socket.io-client is not here: the pages cannot connect (python3 vendor.py brings it)")
        found = Blueprint("web_files", __name__)
        found.add_url_rule("/", "inbox", self.inbox)
        found.add_url_rule("/admin", "admin", self.admin)
        found.add_url_rule("/password", "password", self.password)
        found.add_url_rule("/setup", "setup", self.setup)
        if self.diagnostics:
            found.add_url_rule("/diagnostics", "diagnostics", self.diagnostics_page)
        found.add_url_rule("/web/<path:name>", "file", self.file)
        found.app_errorhandler(404)(self.missing)
        return found

    @needs(Needs.NOTHING)
    def inbox(self) -> Response:
        return self._page("inbox.html")

    @needs(Needs.NOTHING)
    def admin(self) -> Response:
        return self._page("admin.html")

    @needs(Needs.NOTHING)
    def password(self) -> Response:
        return self._page("password.html")

    @needs(Needs.NOTHING)
    def setup(self) -> Response:
        response = self._page("setup.html")
        response.headers["Cache-Control"] = "no-store"  # its address has the secret
        return response

    def missing(self, problem: NotFound) -> Response:
        """A page for who looks at it in a browser; for programs the gate's words."""
        wanted = request.accept_mimetypes.best_match(["application/json", "text/html"])
        if wanted != "text/html" or f"{request.path}/".startswith("/api/"):
            return http_failure(problem)
        root = html.escape(request.script_root)  # wherever the address stands, what the page loads stands there
        body = self._found["missing.html"].body.decode().replace('="web/', f'="{root}/web/')
        response = Response(body, 404, content_type=TYPES["html"])
        response.headers.update(PAGE_HEADERS)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    @needs(Needs.NOTHING)
    def diagnostics_page(self) -> Response:
        return self._page("diagnostics.html")

    @needs(Needs.NOTHING)
    def file(self, name: str) -> Response:
        folder, _, inside = name.partition("/")
        versioned = folder.startswith(VERSION)
        name = inside if versioned else name
        if name not in self._found or name.endswith(".html") or (versioned and folder != self._version()):
            raise RefusedError(Code.NOT_FOUND, "there is no such file")
        response = self._send(name)
        if versioned:
            response.headers["Cache-Control"] = FOR_EVER
        return response

    def _page(self, name: str) -> Response:
        response = self._send(name)
        response.headers.update(PAGE_HEADERS)
        return response

    def _send(self, name: str) -> Response:
        found = self._found[name]
        packed = request.accept_encodings["gzip"] > 0 and len(found.packed) < len(found.body)
        response = Response(found.packed if packed else found.body, content_type=found.content_type)
        if packed:
            response.headers["Content-Encoding"] = "gzip"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.set_etag(found.etag + ("-gzip" if packed else ""))
        response.make_conditional(request)
        return response

    def _version(self) -> str:
        etags = "".join(file.etag for name, file in sorted(self._found.items()) if not name.endswith(".html"))
        return VERSION + hashlib.sha256(etags.encode()).hexdigest()[:16]

    def _add_version(self) -> None:
        folder = f'="web/{self._version()}/'.encode()
        for name in [name for name in self._found if name.endswith(".html")]:
            self._found[name] = make_file(name, self._found[name].body.replace(b'="web/', folder))

    def _add_icons(self) -> None:
        """The favicon for each number that fits into it."""
        self._found["icons/deskbell.svg"] = make_file("deskbell.svg", read("icons/deskbell.svg"))
        pattern = self._found.pop("icons/unread.svg").body.decode()
        for number in range(1, UNREAD_MOST + 2):
            shown = f"{UNREAD_MOST}+" if number > UNREAD_MOST else str(number)
            self._found[f"icons/unread-{number}.svg"] = make_file(
                "unread.svg", pattern.replace("$count", shown).encode()
            )


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _walk(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in TYPES:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found
