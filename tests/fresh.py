"""What somebody new meets: `python3 tests/fresh.py JOB… [--cell NAME]…`, the README's own lines on a bare Debian.

Each job in each cell begins on a debootstrap with nothing but git and Python, with mounts and processes of its own and
a clone of what is committed here; how the network is reached is taken from this machine. Needs Linux and root, and
says so elsewhere. Kept in /var/cache/deskbell-fresh: the bare systems (delete one to have it made anew)
and the packages that apt downloaded. Logs: artifacts/fresh.
"""

import argparse
import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import dev  # noqa: E402 - beside this folder

CACHE = Path("/var/cache/deskbell-fresh")
LOGS = ROOT / "artifacts" / "fresh"
README = (ROOT / "README.md").read_text(encoding="utf-8")
NETWORK = re.compile(r"_PROXY$|^PIP_|^NPM_CONFIG_|CERT|_CA_", re.IGNORECASE)
"""Names of the variables that say how registries are reached."""

SPACES = ["setpriv", "--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child"]

# Run as root in the folder of this run. Afterwards it is the cell's process 1, and nothing of this machine is in sight.
ENTER = """
mkdir -p upper work root "$CACHE/apt-$SUITE"
mount -t overlay overlay -o "lowerdir=$CACHE/$SUITE,upperdir=upper,workdir=work" root
mkdir root/fresh root/fresh/home
mount --bind "$CACHE/apt-$SUITE" root/var/cache/apt/archives
for file in /etc/resolv.conf /etc/hosts /etc/pip.conf /etc/npmrc /usr/local/share/ca-certificates; do
    [ ! -e "$file" ] || cp -RL --parents "$file" root
done
for file in .npmrc .config/pip/pip.conf; do
    [ ! -e ~/"$file" ] || (top=$PWD && cd && cp --parents "$file" "$top/root/fresh/home")
done
apt-config dump | grep -E '^Acquire::(http|https|ftp|Check)' > root/etc/apt/apt.conf.d/99network || true
mv repository root/fresh
[ -z "$TMPFS" ] || mount -t tmpfs tmpfs root/tmp
cd root
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mount -t tmpfs tmpfs dev/shm
pivot_root . mnt
cd /
umount -l mnt

update-ca-certificates > /dev/null
[ "$PERSON" = root ] || useradd --create-home --shell /bin/bash "$PERSON"
export HOME=$(getent passwd "$PERSON" | cut -d: -f6) USER=$PERSON LOGNAME=$PERSON
cp -R /fresh/home/. "$HOME"
chown -R "$PERSON": "$HOME"
[ -z "$PACKAGES" ] || { apt-get -q update; apt-get -q install -y --no-install-recommends $PACKAGES; }
until_so() { for _ in $(seq 120); do ! "$@" || return 0; sleep 0.5; done; return 1; }
as_person() { (cd && setpriv --reuid "$PERSON" --regid "$PERSON" --init-groups sh -ec "$1"); }
"""

WITHOUT_SUDO = """
status=0
as_person {clone_and_do} > said 2>&1 || status=$?
cat said
[ $status = 1 ]
grep -qxF {line} said
apt-get -q update
{install}
as_person {do}
"""

PASSWORD = "correct-horse"
SUDO = 'if [ "$USER" = root ]; then sudo() { "$@"; }; fi'

INSTALL = """
if [ "$PERSON" != root ]; then
    apt-get -q update
    apt-get -q install -y --no-install-recommends sudo
    echo "$PERSON ALL=(ALL) NOPASSWD: ALL" > /etc/sudoers.d/person
fi
as_person {server}
until_so python3 -c 'import socket; socket.create_connection(("127.0.0.1", 8420))'
as_person {desk}
ldd "$(find "$HOME" -name libqxcb.so)" > libraries
if grep "not found" libraries; then exit 1; fi

# what follows would bring libraries of Qt's, too
apt-get -q install -y --no-install-recommends curl xdotool xvfb
Xvfb :8420 -nolisten tcp &
export DISPLAY=:8420
until_so xdotool getmouselocation
as_person {start}
timeout 60 xdotool search --sync --onlyvisible --name "^Sign in to Deskbell$"
as_person {script} | tee said
grep '"id"' said
"""


@dataclass(frozen=True)
class Cell:
    """A bare system, who sits before it, where /tmp is, and what was installed already."""

    suite: str
    person: str = "root"
    tmpfs: bool = False
    packages: tuple[str, ...] = ()


ALL_BUT_FONTS = sorted({*(dev.QT | dev.DESK | dev.ENSUREPIP).values()} - {*dev.FONTS.values()})

CELLS = {
    "bookworm-disk": Cell("bookworm"),
    "bookworm-tmpfs": Cell("bookworm", tmpfs=True),
    "bookworm-fontconfig": Cell("bookworm", packages=(*ALL_BUT_FONTS,)),
    "bookworm-user": Cell("bookworm", "ana"),
    "trixie-tmpfs": Cell("trixie", tmpfs=True),
    "trixie-user": Cell("trixie", "ana", tmpfs=True),
}

# -- the README's lines -------------------------------------------------------------------------------------------


def blocks(heading: str) -> list[str]:
    """The code blocks of this section."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = re.findall(r"^```\n(.*?)^```", section, re.MULTILINE | re.DOTALL)
    return [block.replace("<this repository>", "/fresh/repository") for block in found]


def lines(block: str, *words: str) -> str:
    """Those in which one of the words stands."""
    found = [line for line in block.splitlines() if any(word in line for word in words)]
    assert len(found) == len(words), f"README: not one line each for {words}"
    return "\n".join(found)


def dev_job(cell: Cell, job: str) -> str:
    """The clone and this job of `dev.py`; who may install nothing is told what, and goes on when somebody has."""
    (block,) = blocks("Try it")
    do = lines(block, f"dev.py {job}")
    clone_and_do = shlex.quote(lines(block, "git clone", f"dev.py {job}"))
    if cell.person == "root":
        return f"as_person {clone_and_do}"
    needs = dev.QT | dev.DESK | dev.ENSUREPIP | (dev.SERVICES if job == "test" else {})
    install = shlex.join(["apt-get", "install", "-y", "--no-install-recommends", *sorted({*needs.values()})])
    return WITHOUT_SUDO.format(
        clone_and_do=clone_and_do,
        line=shlex.quote(f"  sudo {install}"),
        install=install,
        do=shlex.quote(f"cd deskbell\n{do}"),
    )


def install_job(_cell: Cell, _job: str) -> str:
    """The server and its users, then the desktop program asking to sign in, then a script's message."""
    server, desk, script = blocks("Run it")
    server = re.sub(r"^(?=.* user add )", f"echo {PASSWORD} | ", server, flags=re.MULTILINE)
    server = re.sub(r" serve .*$", " serve &", server, flags=re.MULTILINE)
    desk, start = desk.rstrip().rsplit("\n", 1)
    return INSTALL.format(
        server=shlex.quote(f"{SUDO}\n{lines(blocks('Try it')[0], 'git clone')}\n{server}"),
        desk=shlex.quote(f"{SUDO}\ncd deskbell\n{desk}"),
        start=shlex.quote(f"{lines(desk, 'activate')}\n{start.split('#')[0]} &"),
        script=shlex.quote(script.replace("…", PASSWORD)),
    )


JOBS = {"demo": dev_job, "test": dev_job, "install": install_job}

# -- running them -------------------------------------------------------------------------------------------------


def reason_to_skip() -> str:
    if not dev.LINUX or os.geteuid() != 0:
        return "it needs root on Linux"
    tried = subprocess.run(
        [*SPACES, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, text=True, check=False
    )
    return tried.stderr.strip()


def bring_system(suite: str) -> None:
    if (CACHE / suite).exists():
        return
    dev.say(f"a bare {suite}")
    mirror = output("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages").split()[:1]
    draft = tempfile.mkdtemp(prefix=f"{suite}-", dir=CACHE)
    include = "--include=git,python3,ca-certificates"
    dev.run("debootstrap", "--variant=minbase", include, suite, draft, *mirror)
    Path(draft).chmod(0o755)
    Path(draft).rename(CACHE / suite)


def output(*command: str) -> str:
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def passes(name: str, job: str) -> bool:
    cell = CELLS[name]
    bring_system(cell.suite)
    script = ENTER + JOBS[job](cell, job)
    env = {key: value for key, value in os.environ.items() if NETWORK.search(key)} | {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": str(Path.home()),
        "CACHE": str(CACHE),
        "SUITE": cell.suite,
        "PERSON": cell.person,
        "TMPFS": "1" if cell.tmpfs else "",
        "PACKAGES": " ".join(cell.packages),
    }
    with (
        tempfile.TemporaryDirectory(prefix="run-", dir=CACHE) as folder,
        (LOGS / f"{name}-{job}.log").open("wb") as log,
    ):
        output("git", "-C", str(ROOT), "bundle", "create", "-q", f"{folder}/repository", "HEAD")
        command = [*SPACES, "sh", "-ec", script]
        return (
            subprocess.run(
                command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            ).returncode
            == 0
        )


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the README's lines on a bare Debian.")
    parser.add_argument("jobs", metavar="JOB", nargs="+", choices=JOBS, help=", ".join(JOBS))
    parser.add_argument("--cell", action="append", choices=CELLS, help="(default: all)")
    args = parser.parse_args()
    if reason := reason_to_skip():
        print(f"fresh.py: skipped: {reason}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the folder of a run is cleared away
    dev.provide({"debootstrap": "debootstrap"}, ask=False)
    CACHE.mkdir(exist_ok=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    failed = 0
    for job in args.jobs:
        for cell in args.cell or CELLS:
            begun = time.monotonic()
            passed = passes(cell, job)
            failed += not passed
            print(f"{job:8}{cell:20} {'passed' if passed else 'FAILED'} {time.monotonic() - begun:5.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
