"""The server's HTTP side as the desktop uses it: sign in and out, whom to write to. Loaded on the network's thread."""

import logging
import ssl
from types import SimpleNamespace
from typing import Literal, NoReturn, TypeVar

import aiohttp
import msgspec

from deskbell_desktop.core import refusals, text
from deskbell_desktop.core.words import Words
from deskbell_desktop.io.address import Address
from deskbell_desktop.io.problems import ApiError, LinkError, NotDeskbellError, UnreachableError, UnsafeError
from deskbell_desktop.io.proxy import proxy_for
from deskbell_protocol import limits, wire
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Party

log = logging.getLogger(__name__)

TIMEOUT = aiohttp.ClientTimeout(total=10)
"""Of a whole call: longer nobody waits for a sign-in."""
ANSWER_BYTES = 1 << 20
GATEWAY = {502, 503, 504}
UNTRUSTED = {2, 18, 19, 20, 21}
"""OpenSSL's numbers for a chain that ends at nobody who is trusted."""

T = TypeVar("T")


class People(msgspec.Struct, frozen=True):
    users: list[Party]


class Problem(msgspec.Struct, frozen=True):
    code: str
    message: str


class Api:
    """One account's or nobody's calls. Methods raise `LinkError`."""

    def __init__(self, session: aiohttp.ClientSession, address: Address, words: Words) -> None:
        self._explain = Explain(address, words)
        self._words = words
        self._session = session
        self._address = address

    async def login(self, login: wire.Login) -> wire.LoginAnswer:
        try:
            return await self._call("POST", "/login", wire.LoginAnswer, body=login)
        except ApiError as error:
            if error.code == Code.UNAUTHORIZED:
                raise ApiError(error.code, self._words.wrong_password()) from error
            if error.code == Code.NOT_FOUND:  # a Deskbell may live there, but under another path
                raise self._explain.not_deskbell() from error
            raise

    async def answers(self) -> bool:
        """Whether a Deskbell is there; nothing is told to it."""
        try:
            await self._call("GET", "/me", None)
        except ApiError:
            return True
        except LinkError:
            pass
        return False

    async def logout(self, token: str) -> None:
        await self._call("POST", "/logout", None, token=token)

    async def users(self, token: str, query: str) -> list[Party]:
        found = await self._call("GET", "/users", People, token=token, params={"q": query[: limits.NAME_CHARS]})
        return found.users

    async def _call(
        self,
        method: str,
        path: str,
        type_: type[T] | None,
        *,
        token: str = "",
        body: msgspec.Struct | None = None,
        params: dict[str, str] | None = None,
    ) -> T:
        headers = {"Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else msgspec.json.encode(body)
        url = self._address.api + path
        try:
            async with self._session.request(
                method, url, headers=headers, data=data, params=params, allow_redirects=False, timeout=TIMEOUT
            ) as response:
                raw = await _read(response)
                return self._answer(response, raw, type_)
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._explain.error(error) from error

    def _answer(self, response: aiohttp.ClientResponse, raw: bytes, type_: type[T] | None) -> T:
        if response.status >= 300:
            self._refuse(response, raw)
        if type_ is None:
            return None  # type: ignore[return-value]
        try:
            return msgspec.json.decode(raw, type=type_)
        except msgspec.DecodeError:
            raise self._explain.not_deskbell() from None

    def _refuse(self, response: aiohttp.ClientResponse, raw: bytes) -> NoReturn:
        try:
            problem = msgspec.json.decode(raw, type=Problem)
        except msgspec.DecodeError:
            raise self._explain.status(response.status, response.headers.get("Location", "")) from None
        log.info("%s refused: %s (%s)", self._address, problem.code, text.one_line(problem.message))
        wait = response.headers.get("Retry-After", "")
        wait_s = float(wait) if wait.isdecimal() else None
        raise ApiError(problem.code, refusals.sentence(self._words, problem.code, wait_s=wait_s))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(1 << 14):
        raw += chunk
        if len(raw) > ANSWER_BYTES:
            raise ValueError("endless answer")
    return bytes(raw)


Tls = ssl.SSLContext | Literal[True]
"""True is aiohttp's own: where there is only plain HTTP, nobody asks it."""


def new_session(address: Address, tls: Tls, trace: aiohttp.TraceConfig | None = None) -> aiohttp.ClientSession:
    """Keeps no cookies, follows no redirect, and takes from the environment the proxy, but no password of `.netrc`."""
    guard = aiohttp.TraceConfig()
    guard.on_request_redirect.append(_no_redirect)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls),
        cookie_jar=aiohttp.DummyCookieJar(),
        trace_configs=[guard] if trace is None else [guard, trace],
        proxy=proxy_for(address),
        trust_env=False,
    )


class RedirectError(aiohttp.ClientError):
    def __init__(self, status: int, target: str) -> None:
        super().__init__(f"redirected to {target}")
        self.status = status
        self.target = target


async def _no_redirect(
    _session: aiohttp.ClientSession, _context: SimpleNamespace, params: aiohttp.TraceRequestRedirectParams
) -> None:
    """The token must not be shown to whomever a wrong answer names."""
    raise RedirectError(params.response.status, params.response.headers.get("Location", ""))


class Explain:
    """The sentences for what libraries raise about one address."""

    def __init__(self, address: Address, words: Words) -> None:
        self._address = address
        self._words = words

    def error(self, error: BaseException) -> LinkError:
        """The order matters: aiohttp's own errors are also `OSError`s."""
        host, words = self._address.host, self._words
        match error:
            case LinkError():
                return error
            case RedirectError() | aiohttp.WSServerHandshakeError():
                return self.status(error.status, getattr(error, "target", ""))
            case aiohttp.ClientHttpProxyError() | aiohttp.ClientProxyConnectionError():
                return self._no_way_through(error)
            case aiohttp.ClientConnectorDNSError():
                return UnreachableError(words.unknown_host(self._address.name))
            case aiohttp.ClientSSLError() | ssl.SSLError():
                return self._unsafe(error)
            case TimeoutError():
                return UnreachableError(words.no_answer(host))
            case aiohttp.ClientConnectorError(os_error=ConnectionRefusedError()) | ConnectionRefusedError():
                return UnreachableError(words.nothing_listens(host))
            case aiohttp.ClientConnectorError():
                return UnreachableError(words.unreachable(host))
            case aiohttp.ClientConnectionError() | OSError():
                return UnreachableError(words.broke_off(host))
            case _:
                return self.not_deskbell()

    def status(self, status: int, target: str = "") -> LinkError:
        """An answer that is not ours: a proxy's, or another program's."""
        if status in GATEWAY:
            return UnreachableError(self._words.gateway(self._address.host, status))
        if 300 <= status < 400 and target:
            return NotDeskbellError(self._words.redirected(self._address.host, target[:200]))
        return self.not_deskbell()

    def not_deskbell(self) -> LinkError:
        return NotDeskbellError(self._words.not_deskbell(str(self._address)))

    def _unsafe(self, error: BaseException) -> LinkError:
        found = getattr(error, "certificate_error", None) or getattr(error, "os_error", None) or error
        if isinstance(found, ssl.SSLCertVerificationError):
            remedy = f" {self._words.own_authority()}" if found.verify_code in UNTRUSTED else ""
            return UnsafeError(self._words.bad_certificate(self._address.host, self._why_unsafe(found)) + remedy)
        return UnsafeError(self._words.bad_tls(self._address.host))

    def _why_unsafe(self, error: ssl.SSLCertVerificationError) -> str:
        """OpenSSL's number in plain words; its own where there are none."""
        words = self._words
        match error.verify_code:
            case code if code in UNTRUSTED:
                return words.certificate_untrusted()
            case 9:
                return words.certificate_early()
            case 10:
                return words.certificate_expired()
            case 62 | 64:
                return words.certificate_of_another()
            case _:
                return error.verify_message

    def _no_way_through(self, error: aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError) -> LinkError:
        """The proxy is named without the name and the password that may be in its address."""
        proxy = proxy_for(self._address)
        name = (proxy and proxy.host_port_subcomponent) or ""
        if isinstance(error, aiohttp.ClientHttpProxyError):
            return UnreachableError(self._words.proxy_refused(name, self._address.host, error.status))
        return UnreachableError(self._words.proxy_unreachable(name, self._address.host))
