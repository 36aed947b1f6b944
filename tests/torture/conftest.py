"""Places for single faults, ended with their test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.desk.services import find_postgres
from tests.torture.databases import PostgresHouse
from tests.torture.site import Site


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    place = Site(folder)
    try:
        yield place
    finally:
        place.close()


@pytest.fixture
def house(folder: Path) -> PostgresHouse:
    """A PostgreSQL of the test's own; the site on it ends it."""
    programs = find_postgres()
    if programs is None:
        absent("PostgreSQL")
    return PostgresHouse(folder, programs)


@pytest.fixture
def postgres_site(folder: Path, house: PostgresHouse) -> Iterator[Site]:
    place = Site(folder, house)
    try:
        yield place
    finally:
        house.service.pause(False)
        place.close()
