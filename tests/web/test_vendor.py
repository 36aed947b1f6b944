"""socket.io-client is brought in as npm publishes it, and anything else is refused."""

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest

import vendor


@pytest.mark.real
def test_it_is_there_unchanged_and_costs_nothing_the_second_time() -> None:
    vendor.bring()
    assert not vendor.bring()
    content = (vendor.WEB / "socket.io.esm.min.js").read_bytes()
    assert f"Socket.IO v{vendor.SOCKET_IO.version}".encode() in content[:200]
    assert hashlib.sha256(content).hexdigest() == "771c3872e7d9bf81020615fda67ef0fd2aa61fcaf1990100714a46fa2c39f8a1"


@pytest.mark.real
def test_another_tarball_is_refused_and_nothing_is_put_in_place(folder: Path) -> None:
    other = dataclasses.replace(vendor.SOCKET_IO, integrity="sha512-" + "A" * 86 + "==")
    with pytest.raises(vendor.VendorError, match="not what was expected"):
        vendor.bring(other, folder / "vendor")
    assert not (folder / "vendor").exists()


def test_it_is_not_in_the_repository_and_names_no_address() -> None:
    assert "://" not in Path(vendor.__file__).read_text(encoding="utf-8")
    ignored = (vendor.ROOT / ".gitignore").read_text(encoding="utf-8").split()
    assert str(vendor.WEB.relative_to(vendor.ROOT)) + "/*" in ignored


def test_what_checks_the_scripts_is_locked_without_an_address() -> None:
    lock = json.loads((vendor.ROOT / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((vendor.ROOT / "package.json").read_text(encoding="utf-8"))["devDependencies"]
    found = {name.removeprefix("node_modules/"): package for name, package in lock["packages"].items() if name}
    assert {name: found[name]["version"] for name in wanted} == wanted
    assert [name for name, package in found.items() if not package["integrity"].startswith("sha512-")] == []
    for file in ("package.json", "package-lock.json", ".npmrc"):
        assert "://" not in (vendor.ROOT / file).read_text(encoding="utf-8")
