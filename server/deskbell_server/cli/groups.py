"""`deskbell-server group …`"""

import click

from deskbell_server.process.config import Storage
from deskbell_server.process.services import open_people


@click.group()
def group() -> None:
    """Names for several people, such as @support. @everyone is always there; its list says who may write to it."""


@group.command()
@click.argument("name")
@click.argument("members", nargs=-1)
@click.option("--display", default="", help="How the group is shown, such as 'Support team'.")
@click.pass_obj
def add(storage: Storage, name: str, members: tuple[str, ...], display: str) -> None:
    """Make a group, or add members to it."""
    with open_people(storage) as people:
        people.groups.add(name, list(members), display)
    click.echo("Done.")


@group.command()
@click.argument("name")
@click.argument("members", nargs=-1)
@click.pass_obj
def remove(storage: Storage, name: str, members: tuple[str, ...]) -> None:
    """Remove members, or the whole group when none are named."""
    with open_people(storage) as people:
        people.groups.remove(name, list(members))
    click.echo("Done.")


@group.command("list")
@click.pass_obj
def list_groups(storage: Storage) -> None:
    """All groups with their members."""
    with open_people(storage) as people:
        for row in people.groups.listed():
            click.echo("\t".join([row.name, row.display, " ".join(row.members)]))
