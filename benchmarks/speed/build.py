"""Builds what the measurements need, outside the repository: the load generator, the ceiling and the peers."""

import hashlib
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BENCHMARKS = Path(__file__).resolve().parents[1]
LOAD = BENCHMARKS / "load"
PEERS = BENCHMARKS / "peers"
GCC = ("gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror")


@dataclass(frozen=True)
class Tools:
    """Paths of what was built; `node` is the folder of the Node peer, None where Node.js or npm is missing; `bun` the
    program that runs it too, None where there is none for this machine.
    """

    load: Path
    ceiling: Path
    node: Path | None
    bun: Path | None


def build(cache: Path) -> Tools:
    """Builds what has changed since the last time."""
    cache.mkdir(parents=True, exist_ok=True)
    load = _compile(cache, "load", sorted(LOAD.glob("*.c")))
    ceiling = _compile(cache, "ceiling", [PEERS / "ceiling.c"])
    node = _install_node_peer(cache)
    return Tools(load, ceiling, node, node and _bun(node))


def _compile(cache: Path, name: str, sources: list[Path]) -> Path:
    program = cache / f"{name}-{_digest([*sources, *LOAD.glob('*.h')])}"
    if not program.exists():
        subprocess.run([*GCC, "-o", program, *sources], check=True)
    return program


def _install_node_peer(cache: Path) -> Path | None:
    if not (shutil.which("node") and shutil.which("npm")):
        return None
    folder = cache / f"node-{_digest([PEERS / 'package.json'])}"
    done = folder / "installed"
    folder.mkdir(exist_ok=True)
    shutil.copy(PEERS / "node_server.js", folder)
    if not done.exists():
        print("fetching the Node peer (better-sqlite3 may be compiled: a minute, once) …", flush=True)
        shutil.copy(PEERS / "package.json", folder)
        npm = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--omit=peer", "--loglevel=error"]
        subprocess.run(npm, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        # npm may have skipped the package's own build step: it must load, or the durable peer could not run
        subprocess.run(["node", "-e", "new (require('better-sqlite3'))(':memory:')"], cwd=folder, check=True)
        done.touch()
    return folder


def _bun(folder: Path) -> Path | None:
    """It needs a processor with AVX2 and a system that its package knows."""
    program = folder / "node_modules" / ".bin" / "bun"
    try:
        runs = subprocess.run([program, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return None
    return program if runs else None


def _digest(files: Iterable[Path]) -> str:
    digest = hashlib.sha256(" ".join(GCC).encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
