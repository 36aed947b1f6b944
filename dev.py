#!/usr/bin/env python3
"""Set up this checkout and run it: `python3 dev.py demo`, `python3 dev.py test`. The two commands of the README.

Standard library only, so that a machine with nothing but git and Python can run it. What Python needs goes into .venv,
from requirements.lock, and what checks the scripts into node_modules; system libraries are installed only where they
are missing, and only through apt.
"""

import argparse
import ctypes
import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "made-from"
NODE_MODULES = ROOT / "node_modules"
NODE_STAMP = NODE_MODULES / "made-from"
LINUX = sys.platform.startswith("linux")

# What is opened or started -> the Debian and Ubuntu package that brings it.
QT = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
}
WAYLAND = {"libwayland-cursor.so.0": "libwayland-cursor0", "libwayland-egl.so.1": "libwayland-egl1"}
ENSUREPIP = {"Python's ensurepip": "python3-venv"}  # Debian ships the venv module without it
FONTS = {"font of 中": "fonts-droid-fallback", "font of 😀": "fonts-noto-color-emoji"}
DESK = {
    "Xvfb": "xvfb",
    "dbus-daemon": "dbus-daemon",
    "openbox": "openbox",
    "xfce4-panel": "xfce4-panel",
    "dunst": "dunst",
    "gnome-keyring-daemon": "gnome-keyring",
    "xdotool": "xdotool",
    **FONTS,
}
NODE = {"node": "nodejs", "npm": "npm"}  # what checks the scripts of the pages
SERVICES = {
    "redis-server": "redis-server",
    "/usr/lib/postgresql/*/bin/initdb": "postgresql",
    "chromium": "chromium",
    "nginx": "nginx-light",
    "weston": "weston",
    "curl": "curl",
}

# Run in a process of its own: fontconfig, the loader and Python's importer remember what was not there before.
ASK = "import dev, json, sys; print(json.dumps([need for need in json.loads(sys.argv[1]) if not dev.present(need)]))"

# Most tests wait most of the time: more of them run side by side than there are processors. The quick ones wait less.
WORKERS = ("--dist=loadfile", "--no-loadscope-reorder", "-n", "5")
QUICK = (*WORKERS, "-n", "3", "-m", "not real")
ARMS = ("sqlite-1", "sqlite-1-redis", "postgres-2", "postgres-2-redis")
# What is too long for every run: name -> the module and its arguments.
LONG = {
    **{f"torture-{arm}": ("tests.torture", "--seconds", "600", "--arms", arm) for arm in ARMS},
    "measure": ("tests.torture.measure",),
    "fuzz": ("tests.fuzz",),
    "power": ("tests.torture.power",),
    "model": ("tests.model", "--examples", "2000", "--steps", "50"),
    "log": ("tests.model.log", "--walks", "20000"),
    "fresh": ("tests.fresh", "demo", "install", "test"),
}

# Run as root. A service that comes along is neither started nor left to start by itself: the tests start their own.
INSTALL = """
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    trap 'exit 1' INT TERM
    printf '#!/bin/sh\\nexit 101\\n' > "$policy" && chmod 755 "$policy" || exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -qq -o DPkg::Lock::Timeout=300 update || echo "Not all package lists are fresh; trying all the same." >&2
apt-get -qq -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@" > /dev/null || exit 1
if [ -d /run/systemd/system ]; then
    for package; do
        case "$package" in
            redis-server | postgresql | nginx-light) systemctl --quiet disable "${package%-light}" ;;
        esac
    done
fi
"""


def say(text: str) -> None:
    print(f"\033[1m==> {text}\033[0m" if sys.stdout.isatty() else f"==> {text}", flush=True)


def has_display() -> bool:
    return not LINUX or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


# -- system packages ----------------------------------------------------------------------------------------------


def present(need: str) -> bool:
    if need.startswith("font of "):
        return has_font(need[-1])
    if need in ENSUREPIP:
        return importlib.util.find_spec("ensurepip") is not None
    if ".so." in need:
        try:
            ctypes.CDLL(need)
        except OSError:
            return False
        return True
    if "*" in need:
        return any(Path("/").glob(need.lstrip("/")))
    return shutil.which(need) is not None


def missing_of(needs: Iterable[str]) -> list[str]:
    asked = [sys.executable, "-c", ASK, json.dumps(list(needs))]
    answer = subprocess.run(asked, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return list(json.loads(answer.stdout))


def has_font(letter: str) -> bool:
    """Whether fontconfig knows a font with this letter; for an emoji, a coloured one."""
    try:
        fontconfig = ctypes.CDLL("libfontconfig.so.1")
    except OSError:
        return False
    for function in (fontconfig.FcPatternCreate, fontconfig.FcCharSetCreate, fontconfig.FcFontList):
        function.restype = ctypes.c_void_p
    fontconfig.FcObjectSetBuild.restype = ctypes.c_void_p
    letters = ctypes.c_void_p(fontconfig.FcCharSetCreate())
    fontconfig.FcCharSetAddChar(letters, ctypes.c_uint32(ord(letter)))
    pattern = ctypes.c_void_p(fontconfig.FcPatternCreate())
    fontconfig.FcPatternAddCharSet(pattern, b"charset", letters)
    if ord(letter) > 0xFFFF:
        fontconfig.FcPatternAddBool(pattern, b"color", ctypes.c_int(1))
    names = ctypes.c_void_p(fontconfig.FcObjectSetBuild(b"family", None))
    found = fontconfig.FcFontList(None, pattern, names)
    return bool(found) and ctypes.c_int.from_address(found).value > 0


def provide(needs: dict[str, str], *, ask: bool) -> None:
    """Install the packages of what is missing, or say exactly what to do and end."""
    if not LINUX:
        return
    needs = needs if working_uv() else needs | ENSUREPIP
    missing = missing_of(needs)
    if not missing:
        return
    packages = sorted({needs[need] for need in missing})
    line = shlex.join(["sudo", "apt-get", "install", "-y", "--no-install-recommends", *packages])
    if shutil.which("apt-get") is None:
        give_up("missing: " + ", ".join(missing), f"install them; on Debian or Ubuntu it would be\n  {line}")
    prefix = root_prefix()
    if prefix is None:
        give_up("missing: " + ", ".join(missing), f"have somebody who may do so install them:\n  {line}")
    say("system packages to install: " + " ".join(packages))
    if ask and not agreed():
        give_up("nothing was installed", f"the line is\n  {line}")
    script = [*prefix, "sh", "-c", INSTALL, "sh", *packages]
    if subprocess.run(script, check=False).returncode != 0:
        give_up("apt-get did not install them", f"the reason stands above; the line is\n  {line}")
    if still := missing_of(missing):
        give_up("still missing after the installation: " + ", ".join(still), "this needs a look by hand")


def root_prefix() -> list[str] | None:
    """What to put before a command that root must run; None where this person may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    sudo = ["sudo"] if sys.stdin.isatty() else ["sudo", "-n"]
    allowed = subprocess.run([*sudo, "-l", "sh"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return sudo if allowed.returncode == 0 else None


def agreed() -> bool:
    try:
        return input("Install them with apt-get now? [Y/n] ").strip().lower() in ("", "y", "yes")
    except EOFError:
        return False


def give_up(what: str, advice: str) -> NoReturn:
    sys.exit(f"dev.py: {what}\n{advice[0].upper()}{advice[1:]}")


# -- Python packages ----------------------------------------------------------------------------------------------


def working_uv() -> str | None:
    uv = shutil.which("uv")
    if uv is None:
        return None
    works = subprocess.run([uv, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return uv if works.returncode == 0 else None


def make_venv() -> None:
    """Build .venv from the lock. Costs nothing while lock, project file, Python and place are the same."""
    ingredients = [LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), sys.version.encode(), str(ROOT).encode()]
    mark = hashlib.sha256(b"\0".join(ingredients)).hexdigest()
    if STAMP.exists() and STAMP.read_text() == mark:
        return
    say("making .venv from requirements.lock")
    uv = working_uv()
    if uv:
        run(uv, "venv", "--quiet", "--clear", "--no-python-downloads", "--python", sys.executable, str(VENV))
        pip = [uv, "pip", "install", "--quiet", "--python", str(BIN / "python")]
    else:
        run(sys.executable, "-m", "venv", "--clear", str(VENV))
        pip = [str(BIN / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--require-hashes", "-r", str(LOCK))
    run(*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT))
    STAMP.write_text(mark)


def make_node_modules() -> None:
    """What checks the scripts, from its lock. Costs nothing while that is the same."""
    mark = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if NODE_STAMP.exists() and NODE_STAMP.read_text() == mark:
        return
    if shutil.which("npm") is None:
        give_up("missing: node, npm", "they check the scripts of the pages: install Node.js")
    say("making node_modules from package-lock.json")
    run("npm", "ci", "--silent", "--ignore-scripts")
    NODE_STAMP.write_text(mark)


def bring_web_client() -> None:
    """socket.io-client for the pages, from npm; costs nothing when it is there. The demo shows no page."""
    run(str(BIN / "python"), str(ROOT / "vendor.py"))


def run(*command: str) -> None:
    if subprocess.run(command, check=False).returncode != 0:
        give_up(f"this failed: {shlex.join(command)}", "the reason stands above; the next run starts it anew")


# -- the jobs -----------------------------------------------------------------------------------------------------


def become(*args: str) -> int:
    """Be this Python command: Ctrl-C and the exit status are then its own."""
    os.chdir(ROOT)
    command = [str(BIN / "python"), *args]
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode


def demo(args: list[str], *, ask: bool) -> int:
    wayland = WAYLAND if os.environ.get("WAYLAND_DISPLAY") else {}
    provide(QT | wayland | ({} if has_display() else DESK), ask=ask)
    make_venv()
    return become("-m", "tests.demo", *args)


def test(args: argparse.Namespace, *, ask: bool) -> int:
    """Lint, format, types, tests. With pytest's own arguments only the tests, which get them."""
    provide(QT | NODE if args.quick else QT | NODE | DESK | SERVICES, ask=ask)
    make_venv()
    if not args.quick:
        bring_web_client()
    os.chdir(ROOT)
    os.environ["DESKBELL_REQUIRE_SERVICES"] = "1"  # what is missing now is a failure, not a skip
    if args.long is not None:
        return go_long(args.long or list(LONG))
    if args.quick or not args.rest:
        check("lint", "ruff", "check", ".")
        check("format", "ruff", "format", "--check", ".")
        check("types", "mypy")
        check_scripts()
    say("tests")
    if args.quick:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return become("-m", "pytest", *chosen(args))


def chosen(args: argparse.Namespace) -> list[str]:
    """What pytest is told. Where somebody chooses the tests there is one worker, as `-x --pdb` and `-s` want it."""
    if args.quick:
        return [*QUICK, *args.rest]
    return args.rest or [*WORKERS]


def check(stage: str, tool: str, *args: str) -> None:
    say(stage)
    if subprocess.run([str(BIN / tool), *args], check=False).returncode != 0:
        sys.exit(f"dev.py: {stage} failed ({shlex.join([tool, *args])}); the tests were not run")


def check_scripts() -> None:
    """The same for the scripts of the pages, with the tests of their pure core."""
    make_node_modules()
    units = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests/web/unit").glob("*.test.js"))
    for stage, *command in (
        ("lint and format of the scripts", "npm", "run", "--silent", "lint"),
        ("types of the scripts", "npm", "run", "--silent", "types"),
        ("tests of the scripts", "node", "--test", "--test-reporter=dot", *units),
    ):
        say(stage)
        if subprocess.run(command, check=False).returncode != 0:
            sys.exit(f"dev.py: {stage} failed ({shlex.join(command)}); the other tests were not run")


def go_long(names: list[str]) -> int:
    """One after the other, to the last."""
    failed = [name for name in names if not passes(name)]
    say(f"failed: {' '.join(failed)}" if failed else f"passed: {' '.join(names)}")
    return 1 if failed else 0


def passes(name: str) -> bool:
    say(f"{name}: python -m {shlex.join(LONG[name])}")
    part = subprocess.Popen([str(BIN / "python"), "-m", *LONG[name]])
    try:
        return part.wait() == 0
    except KeyboardInterrupt:
        part.wait()  # Ctrl-C reached it too: it ends what it started
        raise


def parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Set up this checkout and run it.")
    parser.add_argument("--yes", action="store_true", help="install system packages without asking")
    jobs = parser.add_subparsers(dest="job", required=True)
    jobs.add_parser("demo", help="a server, the tray client and one message, from nothing")
    tests = jobs.add_parser(
        "test", help="lint, types and every test; further arguments are pytest's", allow_abbrev=False
    )
    which = tests.add_mutually_exclusive_group()
    which.add_argument("--quick", action="store_true", help="lint, types, and what needs neither screen nor service")
    long_help = f"only what is too long for every run: all of it, or some of {', '.join(LONG)}"
    which.add_argument("--long", nargs="*", choices=LONG, metavar="NAME", help=long_help)
    args, rest = parser.parse_known_args(words)
    args.yes = args.yes or "--yes" in rest
    args.rest = [word for word in rest if word != "--yes"]
    if args.rest and getattr(args, "long", None) is not None:
        tests.error(f"--long takes no arguments of pytest: {shlex.join(args.rest)}")
    return args


def main() -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - no installer has looked at requires-python yet
        sys.exit(f"Deskbell needs Python 3.11 or newer; this is {sys.version.split()[0]}")
    args = parse(sys.argv[1:])
    ask = not args.yes and sys.stdin.isatty() and os.environ.get("CI") != "true"
    return demo(args.rest, ask=ask) if args.job == "demo" else test(args, ask=ask)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
