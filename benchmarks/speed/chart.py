"""Draws `docs/speed.svg`: four panels of bars, a few lines of SVG."""

from dataclasses import dataclass
from html import escape

from benchmarks.speed.report import number
from benchmarks.speed.targets import Results, median

PAPER, SURFACE, LINE, TEXT, SOFT, BRASS, OTHER = (
    "#F6F4F0", "#FFFFFF", "#E4DFD6", "#1E1C19", "#686259", "#8F5B00", "#D3CBBD",
)  # fmt: skip
FONT = "font-family=\"system-ui, 'Segoe UI', 'Noto Sans', sans-serif\""
WIDTH, MARGIN, GAP = 880, 24, 16
PANEL = (WIDTH - 2 * MARGIN - GAP) // 2
BAR, STEP, LABEL, VALUE = 16, 32, 150, 84


@dataclass(frozen=True)
class Panel:
    title: str
    note: str
    measure: str
    unit: str
    bars: tuple[tuple[str, str], ...]
    """(variant, label); the first is ours."""


PANELS = (
    Panel("Messages, every one on disk", "acknowledged per second · more is better", "acked", "",
          (("deskbell", "Deskbell"), ("node_sql", "Node + SQLite"), ("stock", "stock Flask-SocketIO"))),
    Panel("Announcement to 10,000 desks", "until the last has it · less is better", "announce_last", " ms",
          (("deskbell", "Deskbell, stored"), ("node", "Node, not stored"), ("ceiling", "bare C, not stored"))),
    Panel("Memory per idle connection", "10,000 of them · less is better", "kib_per_connection", " KiB",
          (("deskbell", "Deskbell"), ("node", "Node"), ("ceiling", "bare C"))),
    Panel("Slowest of a hundred", "p99 at 1,000 messages/s · less is better", "p99_at_rate", " ms",
          (("deskbell", "Deskbell, stored"), ("node", "Node, not stored"), ("stock", "stock Flask-SocketIO"))),
)  # fmt: skip


def draw(results: Results, caption: str) -> str:
    rows = max(len(panel.bars) for panel in PANELS)
    height = 76 + rows * STEP
    total = MARGIN * 2 + height * 2 + GAP + 24
    size = f'viewBox="0 0 {WIDTH} {total}" width="{WIDTH}" height="{total}"'
    name = 'role="img" aria-label="Speed of Deskbell beside other servers"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} {name} {FONT}>',
        f'<rect width="{WIDTH}" height="{total}" rx="12" fill="{PAPER}"/>',
    ]
    for place, panel in enumerate(PANELS):
        x, y = MARGIN + place % 2 * (PANEL + GAP), MARGIN + place // 2 * (height + GAP)
        parts += _panel(panel, results, x, y, height)
    parts.append(_text(MARGIN, total - 20, caption, 12, SOFT))
    return "\n".join([*parts, "</svg>", ""])


def _panel(panel: Panel, results: Results, x: int, y: int, height: int) -> list[str]:
    parts = [
        f'<rect x="{x}" y="{y}" width="{PANEL}" height="{height}" rx="12" fill="{SURFACE}" stroke="{LINE}"/>',
        _text(x + 16, y + 28, panel.title, 16, TEXT, 'font-weight="600"'),
        _text(x + 16, y + 48, panel.note, 12, SOFT),
    ]
    values = [median(results, panel.measure, key) for key, _ in panel.bars]
    top = max((value for value in values if value), default=1.0)
    room = PANEL - 32 - LABEL - VALUE
    for row, ((key, label), value) in enumerate(zip(panel.bars, values, strict=True)):
        at = y + 66 + row * STEP
        ours = key == panel.bars[0][0]
        bold = 'font-weight="600"' if ours else ""
        parts.append(_text(x + 16, at + 13, label, 13, TEXT if ours else SOFT, bold))
        length = max(2, round((value or 0) / top * room))
        colour = BRASS if ours else OTHER
        parts.append(f'<rect x="{x + 16 + LABEL}" y="{at}" width="{length}" height="{BAR}" rx="4" fill="{colour}"/>')
        shown = "not measured" if value is None else number(value) + panel.unit
        parts.append(_text(x + 24 + LABEL + length, at + 13, shown, 13, TEXT if ours else SOFT, bold))
    return parts


def _text(x: int, y: int, text: str, size: int, colour: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{colour}" {more}>{escape(text)}</text>'
