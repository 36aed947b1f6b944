"""Another checkout of Deskbell in the same rounds: served, loaded and checked by its own code and environment.

Its scenarios must have the names and the shape of these (`benchmarks.speed.scenarios.run`), as they have had from the
first of them; nothing of it is imported here. Of a scenario that it has not, it has no figures.
"""

import dataclasses
import json
import subprocess
from pathlib import Path

from benchmarks.speed.load import LoadFailed
from benchmarks.speed.scenarios import Effort, Figures, Scenario

KEY = "baseline"
LONGEST_S = 900.0
MEASURE = """
import json, sys
from pathlib import Path
from benchmarks.speed import machine
from benchmarks.speed.build import build
from benchmarks.speed.scenarios import SCENARIOS, Effort, run
from benchmarks.speed.servers import Servers
name, effort, work, cache = sys.argv[1:]
machine.raise_descriptor_limit()
told = {key: value for key, value in json.loads(effort).items() if key in Effort.__dataclass_fields__}
servers = Servers(build(Path(cache)), Path(work), sys.executable)
figures = {}
for scenario in SCENARIOS:
    if scenario.name == name:
        figures = run(servers, scenario, "deskbell", Effort(**told))
print("figures", json.dumps(figures))
"""


class Baseline:
    """`root` has a `.venv` with its server. Raises RuntimeError where it has none."""

    def __init__(self, root: Path, work: Path, cache: Path) -> None:
        self.root = root.resolve()
        self._python = self.root / ".venv" / "bin" / "python"
        if not self._python.exists():
            raise RuntimeError(f"{self.root} has no .venv: run `python3 dev.py test --quick` there first")
        self._work = work / KEY
        self._work.mkdir()
        self._cache = cache

    @property
    def label(self) -> str:
        """The commit that is checked out there."""
        asked = ["git", "-C", str(self.root), "describe", "--always", "--dirty"]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()

    def run(self, scenario: Scenario, effort: Effort) -> Figures:
        """As `scenarios.run`, of the other checkout's Deskbell."""
        told = [scenario.name, json.dumps(dataclasses.asdict(effort)), str(self._work), str(self._cache)]
        command = [str(self._python), "-c", MEASURE, *told]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, timeout=LONGEST_S, check=False)
        return figures_in(done.stdout, done.stderr)


def figures_in(printed: str, problem: str) -> Figures:
    """What `MEASURE` printed last."""
    for line in reversed(printed.splitlines()):
        if line.startswith("figures "):
            return {name: float(value) for name, value in json.loads(line.removeprefix("figures ")).items()}
    raise LoadFailed(f"the baseline measured nothing: {' | '.join(problem.splitlines()[-3:])}")
