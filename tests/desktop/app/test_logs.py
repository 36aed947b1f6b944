"""The diary's files: for nobody else's eyes, the rotated one too."""

import logging
import os
import stat
from pathlib import Path

import pytest

from deskbell_desktop.logs import PrivateFile


def test_a_full_disk_is_not_a_traceback_for_each_line(capsys: pytest.CaptureFixture[str]) -> None:
    handler = PrivateFile("/dev/full", encoding="utf-8")
    handler.emit(logging.makeLogRecord({"msg": "x"}))
    handler.emit(logging.makeLogRecord({"msg": "%d", "args": ("a mistake of ours",)}))
    assert capsys.readouterr().err.count("Traceback") == 1
    with pytest.raises(OSError, match="space"):
        handler.close()


def test_every_file_of_the_log_is_private(tmp_path: Path) -> None:
    path = tmp_path / "deskbell.log"
    path.touch(0o644)  # of an older version
    before = os.umask(0)
    try:
        handler = PrivateFile(path, maxBytes=40, backupCount=1, encoding="utf-8")
        for number in range(3):
            handler.emit(logging.makeLogRecord({"msg": f"{number} " + "x" * 30}))
        handler.close()
    finally:
        os.umask(before)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert modes == {"deskbell.log": 0o600, "deskbell.log.1": 0o600}
