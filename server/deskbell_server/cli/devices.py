"""`deskbell-server device …`"""

from datetime import UTC, datetime

import click

from deskbell_server.people.activity import COMMAND_LINE
from deskbell_server.process.config import Storage
from deskbell_server.process.services import open_people


@click.group()
def device() -> None:
    """Signed-in clients."""


def day(at: int) -> str:
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M")


@device.command("list")
@click.pass_obj
def list_devices(storage: Storage) -> None:
    """All devices that are signed in, the last used first (times in UTC)."""
    with open_people(storage) as people:
        for row in people.devices.everyones():
            click.echo("\t".join([row.id, row.user_name, row.name, day(row.last_used_at)]))


@device.command()
@click.argument("device_id", metavar="ID")
@click.pass_obj
def revoke(storage: Storage, device_id: str) -> None:
    """Log a device out; a connected one is closed within two seconds."""
    with open_people(storage) as people:
        people.devices.revoke(device_id, COMMAND_LINE)
    click.echo("Signed out.")
