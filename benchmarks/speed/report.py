"""Turns figures into the tables that stand in `benchmarks/README.md`."""

from pathlib import Path

from benchmarks.speed.servers import VARIANTS
from benchmarks.speed.targets import TARGETS, Results, Verdict, judge, median, spread

BEGIN = "<!-- measured: begin -->"
END = "<!-- measured: end -->"
NOISY = 0.4
"""A spread above this is named as a doubt, for figures that a target rests on."""

MEASURES = {
    "acked": "1:1 messages/s, 64 outstanding",
    "cpu_us_per_message": "the server's CPU for each of them, µs",
    "p50_fresh": "p50 at 1,000 messages/s, fresh server, ms",
    "p99_fresh": "p99 at 1,000 messages/s, fresh server, ms",
    "p50_at_rate": "p50 at 1,000 messages/s, after saturation, ms",
    "p99_at_rate": "p99 at 1,000 messages/s, after saturation, ms",
    "cpu_us_at_rate": "the server's CPU for each at 1,000 a second, µs",
    "sustained": "announcements back to back to 1,000, deliveries/s",
    "announce_first": "announcement to 10,000, first has it, ms",
    "announce_last": "announcement to 10,000, last has it, ms",
    "connect_1000": "connects/s, 1,000 clients",
    "connect_10000": "connects/s, 10,000 clients",
    "kib_per_connection": "memory per idle connection, KiB",
    "idle_cpu_percent": "idle CPU of 5,000, % of a core",
    "leave_blocked": "5,000 leave: loop blocked, ms",
    "leave_us_each": "5,000 leave: time for each, µs",
    "mixed_p50": "1:1 beside announcements, p50 ms",
    "mixed_p99": "1:1 beside announcements, p99 ms",
    "mixed_announce": "those announcements, last has it, ms",
    "storm_s": "2,000 back after kill -9, s",
    "storm_retries": "attempts that had to be repeated",
    "jitter_share": "jitter: delivered, %",
    "jitter_astray": "jitter: twice or out of order",
    "jitter_last_s": "jitter: from the last announcement until the last has it, s",
    "jitter_back_p50": "jitter: coming back, p50 ms",
    "jitter_back_p99": "jitter: coming back, p99 ms",
    "avalanche_stop_share": "avalanche, stopped and started: delivered, %",
    "avalanche_stop_s": "avalanche, stopped and started: the last is back, s",
    "avalanche_kill_share": "avalanche, killed: delivered, %",
    "avalanche_kill_s": "avalanche, killed: the last is back, s",
    "avalanche_astray": "avalanche: twice or out of order",
    "avalanche_retries": "avalanche: attempts that had to be repeated",
    "http": "HTTP publishes/s",
    "http_p50": "HTTP publish, p50 ms",
    "http_p99": "HTTP publish, p99 ms",
}


def number(value: float | None) -> str:
    """Three digits that matter, thousands with a comma."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def noisy(results: Results) -> list[str]:
    """Figures behind a target whose rounds are far apart."""
    found = []
    for measure, variant in dict.fromkeys((t.measure, v) for t in TARGETS for v in (t.ours, t.theirs) if v):
        values = results.get(measure, {}).get(variant, [])
        if values and spread(values) > NOISY:
            found.append(f"{MEASURES[measure]} ({VARIANTS[variant].label}, {spread(values):.0%})")
    return found


def _row(verdict: Verdict) -> str:
    target = verdict.target
    beside = "" if target.theirs is None else f"{VARIANTS[target.theirs].label}: {_amount(verdict.theirs, target.unit)}"
    ratio = "" if verdict.ratio is None else f"{number(verdict.ratio)} ×"
    word = {True: "met", False: "**falls short**", None: "not measured"}[verdict.met]
    return f"| {target.title} | {_amount(verdict.ours, target.unit)} | {beside} | {ratio} | {target.promise} | {word} |"


def _amount(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    return f"{number(value)}{unit}" if unit in ("/s", "%") else f"{number(value)} {unit}"


def targets_table(results: Results) -> str:
    head = "| measure | Deskbell | beside | ratio | target | |\n| --- | ---: | --- | ---: | ---: | --- |"
    return "\n".join([head, *(_row(judge(target, results)) for target in TARGETS)])


def variants_of(results: Results) -> list[str]:
    return [key for key in VARIANTS if any(key in by_variant for by_variant in results.values())]


def ratios_table(results: Results) -> str:
    """Deskbell beside the baseline. `far`: how far their rounds, together, lie apart: less than that says nothing."""
    lines = ["| | Deskbell ÷ baseline | far |", "| --- | ---: | ---: |"]
    for measure, title in MEASURES.items():
        ours, theirs = (median(results, measure, key) for key in ("deskbell", "baseline"))
        if ours is not None and theirs:
            far = max(spread(results[measure][key]) for key in ("deskbell", "baseline"))
            lines.append(f"| {title} | {ours / theirs:.2f} | {far:.0%} |")
    return "\n".join(lines)


def medians_table(results: Results) -> str:
    """Every figure of every variant, with the spread of its rounds."""
    keys = variants_of(results)
    head = "| median (± half the spread) | " + " | ".join(VARIANTS[key].label for key in keys) + " |"
    lines = [head, "| --- |" + " ---: |" * len(keys)]
    for measure, title in MEASURES.items():
        if measure in results:
            lines.append(f"| {title} | " + " | ".join(_cell(results, measure, key) for key in keys) + " |")
    return "\n".join(lines)


def _cell(results: Results, measure: str, key: str) -> str:
    middle = median(results, measure, key)
    if middle is None:
        return ""
    half = spread(results[measure][key]) / 2
    return f"{number(middle)} ± {half:.0%}" if half else number(middle)


def insert(readme: Path, text: str) -> None:
    """Puts `text` between the two markers."""
    before, rest = readme.read_text().split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    readme.write_text(f"{before}{BEGIN}\n{text.strip()}\n{END}{after}")
