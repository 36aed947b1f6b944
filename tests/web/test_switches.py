"""What is off stays off, and what is open is open only to this machine."""

from pathlib import Path

import pytest

from tests.desk.processes import NotInTimeError
from tests.desk.server import Server


def test_diagnostics_are_off_unless_switched_on(house: Server) -> None:
    assert house.ask("GET", "/diagnostics").status == 404
    assert house.ask("GET", "/diagnostics/facts").status == 404


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_open_diagnostics_are_refused_where_others_could_come(folder: Path, host: str) -> None:
    with Server(folder, "--diagnostics=open", "--host", host) as server:
        with pytest.raises(NotInTimeError, match=r"needs --host 127\.0\.0\.1"):
            server.start()
        assert server.process.exit_code == 1
