"""TLS on the same path: HTTP, WebSocket, slow readers and bounds, through OpenSSL on both ends."""

import datetime
import ipaddress
import json
import socket
import ssl
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gevent.ssl import SSLContext as GeventSSLContext

from deskbell_server.transport import Transport
from tests.server.transport.conftest import serving
from tests.server.transport.raw import Raw, frame, request
from tests.server.transport.served import build


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for localhost, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(certificate))


@pytest.fixture(params=[("native", ssl.SSLContext), ("native", GeventSSLContext), ("stock", GeventSSLContext)])
def transport(request: pytest.FixtureRequest, certificate: Path) -> Iterator[Transport]:
    kind, context = request.param[0], request.param[1](ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serving(build(kind, {"header_s": 2.0, "polling": True}), tls=context) as made:
        yield made


def test_the_stock_kind_refuses_a_context_that_would_block_the_loop() -> None:
    with pytest.raises(TypeError, match="gevent"):
        build("stock", {}).serve("127.0.0.1", 0, ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))


def test_http_and_websocket(transport: Transport, tls: ssl.SSLContext) -> None:
    url = f"https://localhost:{transport.port}"
    with urllib.request.urlopen(url + "/address", context=tls, timeout=5) as answer:
        assert answer.read() == b"127.0.0.1"
    with Raw(transport.port, tls=tls) as one:
        one.login()
        for size in (1, 100, 16_000, 16_385, 60_000):
            assert one.call("echo", "x" * size) == ["x" * size]
        one.send(*(frame(f'42{n}["echo",{n}]') for n in range(1, 200)))
        assert [one.receive() for _ in range(1, 200)] == [f"43{n}[{n}]" for n in range(1, 200)]


@pytest.fixture
def native(certificate: Path) -> Iterator[Transport]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    options = {"header_s": 1.0, "out_bytes": 100 << 20, "out_frames": 10_000}
    with serving(build("native", options), tls=context) as made:
        yield made


def test_what_openssl_has_decrypted_already_is_read(native: Transport, tls: ssl.SSLContext) -> None:
    """More than one reading's worth in one flight: nothing may wait for the next byte on the wire."""
    with Raw(native.port, tls=tls) as one:
        one.send(request(), frame('40{"token":"good"}'))
        assert one.answered() == 101
        assert one.receive().startswith("0")
        assert one.receive().startswith("40")
        body = "x" * 3000
        one.send(*(frame(f'42{n}["echo","{body}"]') for n in range(1, 300)))
        assert [one.receive() for _ in range(1, 300)] == [f'43{n}["{body}"]' for n in range(1, 300)]


def test_a_slow_reader_gets_everything_in_order(native: Transport, tls: ssl.SSLContext) -> None:
    with Raw(native.port, tls=tls, receive_buffer=4096) as slow, Raw(native.port, tls=tls) as other:
        sid = slow.login().call("whoami")[0]
        other.login().text("421" + json.dumps(["flood", {"to": sid, "size": 50_000, "count": 200}]))
        assert other.receive() == "431[1]"
        for _ in range(200):
            assert len(json.loads(slow.receive()[2:])[1]["body"]) == 50_000
        assert slow.call("echo", 1) == [1]


def test_refusals_and_oversize_are_told_before_the_end(native: Transport, tls: ssl.SSLContext) -> None:
    with Raw(native.port, tls=tls) as one:
        one.opened().text('40{"token":"bad"}')
        assert any(text.startswith("44") for text in one.rest())
        assert one.code == 1000
    with Raw(native.port, tls=tls) as one:
        one.login().send(frame("x" * 65_537))
        assert one.ended_within(10)
        assert one.code == 1009


def test_silence_and_nonsense_instead_of_a_handshake(native: Transport, tls: ssl.SSLContext) -> None:
    with Raw(native.port) as silent, Raw(native.port) as plain:
        plain.send(request())
        assert plain.closed_within(8)
        assert silent.closed_within(8)  # ten, if it were not told otherwise
    with Raw(native.port, tls=tls) as one:
        assert one.login().call("echo", 1) == [1]


def test_a_client_that_vanishes_is_noticed(native: Transport, tls: ssl.SSLContext) -> None:
    with Raw(native.port, tls=tls) as one, Raw(native.port, tls=tls) as other:
        one.login()
        before = other.login().call("counts")[0].get("disconnects", 0)
        one.socket.shutdown(socket.SHUT_RDWR)
        until = time.monotonic() + 10
        while other.call("counts")[0].get("disconnects", 0) == before:
            assert time.monotonic() < until
