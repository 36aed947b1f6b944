"""What a release would hold, and what a checkout must not."""

import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

import deskbell_protocol
import dev

ROOT = Path(__file__).parent.parent
PACKAGES = {"deskbell_desktop", "deskbell_protocol", "deskbell_server", "deskbell_resources"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    place = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(next(place.glob("*.whl"))) as opened:
        return opened


def test_the_wheel_holds_the_four_packages_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {name for name in top if not name.endswith(".dist-info")} == PACKAGES


def test_the_wheel_holds_every_file_that_is_in_the_packages(wheel: zipfile.ZipFile) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    inside = {name.split("/", 1)[1] for name in tracked if len(name.split("/")) > 2 and name.split("/")[1] in PACKAGES}
    assert inside <= set(wheel.namelist())
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(wheel.namelist())


def test_the_version_is_said_once() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    assert deskbell_protocol.__version__ not in re.findall(r'^version = "(.*)"', text, re.MULTILINE)
    assert re.search(
        rf"^## \[?{re.escape(deskbell_protocol.__version__)}\b", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
    )


@pytest.mark.parametrize("program", ["deskbell", "deskbell-server"])
def test_a_program_tells_its_version(program: str) -> None:
    assert entry_points(group="console_scripts", name=program)
    command = [str(Path(sys.executable).parent / program), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    assert deskbell_protocol.__version__ in done.stdout


def test_the_lock_names_no_address_and_every_package_has_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert not re.search(r"https?://|file:|git\+|--index|--find-links", text)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 40
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_holds_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = list(project["project"]["dependencies"])
    for group in [*project["project"]["optional-dependencies"].values(), *project["dependency-groups"].values()]:
        asked += group
    wanted = {re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-") for requirement in asked}
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert wanted - locked == set()


def test_no_tracked_file_names_a_machine_of_ours() -> None:
    pattern = r"(^|[^A-Za-z0-9_.-])/(work|farm|root)/[a-z.]"
    done = subprocess.run(["git", "grep", "-nIE", pattern], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == ""


def test_set_up_uses_the_standard_library_alone() -> None:
    text = Path(dev.__file__).read_text()
    imported = {
        one or other for one, other in re.findall(r"^(?:import (\w+)|from (\w+)[\w.]* import)", text, re.MULTILINE)
    }
    assert imported <= sys.stdlib_module_names
    assert set(dev.DESK.values()) & set(dev.SERVICES.values()) == set()
