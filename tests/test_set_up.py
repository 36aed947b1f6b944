"""The set-up sees what it has just installed, also where a running process would not."""

import subprocess
from pathlib import Path

import pytest

import dev
from tests import fresh
from tests.conftest import absent

FONT = Path("/usr/share/fonts-droid-fallback/truetype/DroidSansFallback.ttf")


@pytest.mark.real
@pytest.mark.skipif(not dev.LINUX, reason="system packages are brought on Linux alone")
def test_a_font_that_comes_is_seen_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not FONT.exists():
        absent(FONT.name)
    (tmp_path / "fonts").mkdir()
    (tmp_path / "fonts.conf").write_text(
        f"<fontconfig><dir>{tmp_path}/fonts</dir><cachedir>{tmp_path}/cache</cachedir></fontconfig>"
    )
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "fonts.conf"))
    assert dev.missing_of(dev.FONTS) == list(dev.FONTS)
    (tmp_path / "fonts" / FONT.name).symlink_to(FONT)
    assert dev.missing_of(dev.FONTS) == ["font of 😀"]


@pytest.mark.parametrize("cell", fresh.CELLS)
@pytest.mark.parametrize("job", fresh.JOBS)
def test_the_readmes_lines_are_those_that_are_tried(cell: str, job: str) -> None:
    """Fails when the README is put in other words than `fresh.py` finds; what is in them is for a real run."""
    script = fresh.JOBS[job](fresh.CELLS[cell], job)
    done = subprocess.run(["sh", "-n"], input=fresh.ENTER + script, text=True, check=False)
    assert done.returncode == 0
    assert "git clone /fresh/repository deskbell" in script
    assert "<this" not in script
    assert "…" not in script
