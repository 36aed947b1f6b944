"""Settings: who says what, and a file that is damaged, foreign or not to be written."""

import stat
from pathlib import Path

import pytest

from deskbell_desktop import __version__
from deskbell_desktop.config import SavedSettings, load_kept, read_settings, save_kept
from deskbell_protocol.wire import Party


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    save_kept(tmp_path / "settings.json", SavedSettings(server="https://kept"))
    environ = {"DESKBELL_PROFILE": str(tmp_path)}
    assert read_settings([], environ).server == "https://kept"
    environ["DESKBELL_SERVER"] = "https://environment"
    assert read_settings([], environ).server == "https://environment"
    assert read_settings(["--server", "https://line"], environ).server == "https://line"
    assert read_settings(["--profile", str(tmp_path / "other")], environ).profile == tmp_path / "other"


def test_the_version_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        read_settings(["--version"], {})
    assert ended.value.code == 0
    assert __version__ in capsys.readouterr().out


def test_what_is_kept_comes_back_and_only_for_this_user(tmp_path: Path) -> None:
    path = tmp_path / "new" / "settings.json"
    kept = SavedSettings("https://a", Party("id", "maria", "Maria Garcia"), theme="dark", quiet=True)
    save_kept(path, kept)
    assert load_kept(path) == (kept, False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert kept.account is not None
    assert SavedSettings().account is None


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"theme": "purple"}', b'{"quiet": "yes"}', b"\xff\xfe"])
def test_a_damaged_file_is_put_aside_and_said(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(raw)
    settings = read_settings(["--profile", str(tmp_path)], {})
    assert settings.damaged
    assert settings.kept == SavedSettings()
    assert path.with_suffix(".damaged").read_bytes() == raw
    assert not read_settings(["--profile", str(tmp_path)], {}).damaged


def test_keys_of_tomorrow_are_no_damage(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"server": "https://a", "hologram": true}')
    assert load_kept(tmp_path / "settings.json") == (SavedSettings("https://a"), False)


def test_a_folder_in_its_place_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / "settings.json").mkdir()
    assert load_kept(tmp_path / "settings.json") == (SavedSettings(), True)
    with pytest.raises(OSError, match=r".*"):
        save_kept(tmp_path / "settings.json", SavedSettings())
