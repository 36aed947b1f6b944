"""What the browser's program knows of the protocol is what stands here."""

from pathlib import Path

from deskbell_protocol import javascript

ROOT = Path(__file__).resolve().parents[2]


def test_it_is_up_to_date() -> None:
    assert (ROOT / javascript.FILE).read_text(encoding="utf-8") == javascript.text()
