"""What the connection's tests share: a network thread whose posts are collected, a real server, certificates."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deskbell_desktop.core.words import Words
from deskbell_desktop.io.intake import Intake
from deskbell_desktop.io.network import Network
from tests.desk.server import Login, Server

T = TypeVar("T")
PASSWORD = "correct horse"


class Posts:
    """Everything that was posted, in order; waits for what has not come yet."""

    def __init__(self) -> None:
        self.all: list[object] = []
        self._news = threading.Condition()
        self._looked = 0

    def __call__(self, event: object) -> None:
        with self._news:
            self.all.append(event)
            self._news.notify_all()

    def next(self, type_: type[T], timeout: float = 10.0, where: Callable[[T], bool] = lambda _event: True) -> T:
        """The next one of this type that was not looked at; those before it are passed over."""
        end = time.monotonic() + timeout
        with self._news:
            while True:
                while self._looked < len(self.all):
                    event = self.all[self._looked]
                    self._looked += 1
                    if isinstance(event, type_) and where(event):
                        return event
                if not self._news.wait(max(0.0, end - time.monotonic())):
                    raise AssertionError(f"no {type_.__name__} in {timeout} s; there were {self.all[-8:]}")

    def of(self, type_: type[T]) -> list[T]:
        return [event for event in self.all if isinstance(event, type_)]


@pytest.fixture
def posts() -> Posts:
    return Posts()


@pytest.fixture
def intake(posts: Posts) -> Intake:
    return Intake(posts)


NetworkMaker = Callable[..., Network]


@pytest.fixture
def make_network(posts: Posts, intake: Intake) -> Iterator[NetworkMaker]:
    made: list[Network] = []

    def make(ca_file: Path | None = None) -> Network:
        network = Network(posts, intake, Words(), client="deskbell/test", device="A test", ca_file=ca_file)
        made.append(network)
        return network

    yield make
    for network in made:
        network.close()
    assert [thread.name for thread in threading.enumerate() if thread.name == "network"] == []


@pytest.fixture
def network(make_network: NetworkMaker) -> Network:
    return make_network()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    for name in ("maria", "bob"):
        server.add_user(name, PASSWORD)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def maria(server: Server) -> Login:
    return server.login("maria", PASSWORD)


@pytest.fixture
def bob(server: Server) -> Login:
    return server.login("bob", PASSWORD)


@dataclass(frozen=True)
class Certificates:
    """An authority of our own, and files that it signed."""

    authority: Path
    localhost: Path
    elsewhere: Path


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("certificates")
    key = ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("Test authority", key, "Test authority", key, is_authority=True)
    (folder / "authority.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    for name in ("localhost", "elsewhere.example"):
        own = ec.generate_private_key(ec.SECP256R1())
        signed = _certificate(name, own, "Test authority", key, is_authority=False)
        private = own.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.pem").write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return Certificates(folder / "authority.pem", folder / "localhost.pem", folder / "elsewhere.example.pem")


def _certificate(subject: str, key: Any, issuer: str, signer: Any, *, is_authority: bool) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject.replace(" ", "-").lower())]), critical=False)
        .sign(signer, hashes.SHA256())
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
