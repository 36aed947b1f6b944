"""Measures Deskbell's server beside its peers on this machine: `python benchmarks/run.py [--quick]`.

What is measured and how is told in `benchmarks/README.md`, where a full run also leaves its tables.
"""

import argparse
import datetime
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # as a script this file's own folder stands there, whose names would hide others

from benchmarks.speed import chart, machine, report, targets  # noqa: E402
from benchmarks.speed.baseline import KEY, Baseline  # noqa: E402
from benchmarks.speed.build import build  # noqa: E402
from benchmarks.speed.load import LoadFailed  # noqa: E402
from benchmarks.speed.scenarios import FULL, QUICK, SCENARIOS, Effort, Figures, Scenario, run  # noqa: E402
from benchmarks.speed.servers import VARIANTS, Servers  # noqa: E402

README = ROOT / "benchmarks" / "README.md"
CHART = ROOT / "docs" / "speed.svg"
DESCRIPTORS_NEEDED = 10_500


class Session:
    """Goes through the rounds and collects: figures by measure and variant, and what failed."""

    def __init__(
        self,
        servers: Servers,
        watch: machine.Watch,
        effort: Effort,
        variants: list[str],
        baseline: Baseline | None = None,
    ) -> None:
        self.results: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
        self.failures: list[str] = []
        self._servers = servers
        self._watch = watch
        self._effort = effort
        self._variants = variants
        self._baseline = baseline

    def measure(self, scenarios: list[Scenario]) -> None:
        """All of one round before the next, so that a slow minute of the machine hits everybody alike."""
        for number in range(self._effort.rounds):
            for scenario in scenarios:
                if number < scenario.rounds(self._effort):
                    self._round(number, scenario)

    def _round(self, number: int, scenario: Scenario) -> None:
        keys = [key for key in scenario.variants if key in self._variants and self._servers.available(VARIANTS[key])]
        keys += [KEY] if self._baseline is not None else []
        turn = number % len(keys) if keys else 0
        for key in keys[turn:] + keys[:turn]:
            self._watch.look()
            try:
                figures = self._measure(scenario, key)
            except (LoadFailed, RuntimeError) as problem:
                self.failures.append(f"{VARIANTS[key].label}, {scenario.name}: {problem}")
                print(f"  FAILED {self.failures[-1]}", flush=True)
                continue
            for measure, value in figures.items():
                self.results[measure][key].append(value)
            shown = ", ".join(f"{measure} {report.number(value)}" for measure, value in figures.items())
            print(f"  round {number + 1} {scenario.name:<10}{VARIANTS[key].label:<32} {shown}", flush=True)

    def _measure(self, scenario: Scenario, key: str) -> Figures:
        if key == KEY and self._baseline is not None:
            return self._baseline.run(scenario, self._effort)
        return run(self._servers, scenario, key, self._effort)


def server_python() -> str | None:
    """The interpreter that has Deskbell's server: this one, or that of `.venv`."""
    for python in (sys.executable, str(ROOT / ".venv" / "bin" / "python")):
        asked = [python, "-c", "import deskbell_server.__main__"]
        if Path(python).exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return python
    return None


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="one round of short measurements, some minutes")
    parser.add_argument("--rounds", type=int, help="rounds, instead of the effort's own")
    parser.add_argument("--only", help="scenarios, separated by commas: " + ",".join(s.name for s in SCENARIOS))
    parser.add_argument("--variants", help="servers, separated by commas: " + ",".join(VARIANTS))
    parser.add_argument("--work", type=Path, help="folder for databases (on a disk, not in memory) and results")
    parser.add_argument("--baseline", type=Path, metavar="PATH", help="another checkout, in the same rounds")
    parser.add_argument("--write", action="store_true", help="put tables and chart into the repository")
    return parser.parse_args()


def show(session: Session, facts: dict[str, str], summary: dict[str, float]) -> str:
    """What goes into the README: facts, doubts, the tables."""
    doubts = machine.doubts(summary, report.noisy(session.results))
    command = "python benchmarks/run.py " + " ".join(sys.argv[1:])
    today = datetime.datetime.now(datetime.UTC).date()
    lines = [f"Made on {today} by `{command.strip()}` in {summary['minutes']:.0f} minutes.", ""]
    lines += [" · ".join(f"{name}: {value}" for name, value in facts.items()), ""]
    yardsticks = (
        f"durable 4 KiB write {summary['fsync_ms']:.2f} ms, calibration loop {summary['calibration_ms']:.0f} ms"
    )
    lines += [f"On this machine just then: {yardsticks}.", ""]
    if doubts:
        lines += ["**The machine was too busy to believe every figure:** " + "; ".join(doubts) + ".", ""]
    else:
        lines += ["The machine was quiet: no doubt about these figures.", ""]
    lines += [f"**Failed:** {failure}\n" for failure in session.failures]
    lines += [report.targets_table(session.results), "", report.medians_table(session.results)]
    if KEY in report.variants_of(session.results):
        lines += ["", report.ratios_table(session.results)]
    return "\n".join(lines)


def main() -> int:
    options = arguments()
    effort = QUICK if options.quick else FULL
    if options.rounds:
        effort = replace(effort, rounds=options.rounds, idle_rounds=min(effort.idle_rounds, options.rounds))
    scenarios = [s for s in SCENARIOS if not options.only or s.name in options.only.split(",")]
    variants = options.variants.split(",") if options.variants else list(VARIANTS)
    if machine.raise_descriptor_limit() < DESCRIPTORS_NEEDED:
        print(f"`ulimit -n` must allow {DESCRIPTORS_NEEDED} descriptors: the scenario `many` will fail")
    cache = Path.home() / ".cache" / "deskbell-benchmarks"
    tools = build(cache)
    work = Path(tempfile.mkdtemp(prefix="run-", dir=options.work or cache))
    python = server_python()
    if python is None:
        print("Deskbell's server is not installed here: only its peers will be measured")
    try:
        facts, watch = machine.description(work), machine.Watch(tools.load, work)
        print(" · ".join(f"{name}: {value}" for name, value in facts.items()), flush=True)
        baseline = Baseline(options.baseline, work, cache) if options.baseline else None
        if baseline is not None:
            facts["baseline"] = baseline.label
        session = Session(Servers(tools, work, python), watch, effort, variants, baseline)
        session.measure(scenarios)
        summary = watch.summary()
    finally:
        shutil.rmtree(work)
    text = show(session, facts, summary)
    print("\n" + text)
    save(Path(tempfile.mkdtemp(prefix="deskbell-results-")) / "results.json", session, facts, summary)
    if options.write:
        report.insert(README, text)
        CHART.write_text(chart.draw(session.results, f"{facts['processor']}, {facts['kernel']}: benchmarks/README.md"))
    return 1 if session.failures else 0


def save(file: Path, session: Session, facts: dict[str, str], summary: dict[str, float]) -> None:
    verdicts = [targets.judge(target, session.results) for target in targets.TARGETS]
    judged = [
        {"measure": v.target.measure, "beside": v.target.theirs, "ratio": v.ratio, "met": v.met} for v in verdicts
    ]
    everything: dict[str, Any] = {"machine": facts, "summary": summary, "figures": session.results}
    everything |= {"failures": session.failures, "targets": judged}
    file.write_text(json.dumps(everything, indent=1))
    print(f"\nAll rounds: {file}")


if __name__ == "__main__":
    sys.exit(main())
