"""`deskbell-server announce …` and `deskbell-server activity`."""

import click

from deskbell_protocol import names
from deskbell_protocol.ids import new_id
from deskbell_protocol.wire import Priority, Publish
from deskbell_server.cli.devices import day
from deskbell_server.limiter import Limiter, Rate
from deskbell_server.messaging.messages import Messages
from deskbell_server.people.activity import COMMAND_LINE
from deskbell_server.process.config import Storage
from deskbell_server.process.services import open_people


@click.command()
@click.argument("text")
@click.option("--as", "name", required=True, help="The admin in whose name it is sent.")
@click.option("--title", default="", help="A line above it.")
@click.option("--priority", type=click.Choice(["low", "normal", "high", "urgent"]), default="normal", show_default=True)
@click.option("--url", default="", help="What it is about, on the web.")
@click.pass_obj
def announce(storage: Storage, text: str, name: str, title: str, priority: Priority, url: str) -> None:
    """Send TEXT to everyone. A server that runs delivers it within a second."""
    with open_people(storage) as people:
        messages = Messages(people.database, Limiter(Rate(0, 1)))
        draft = Publish(body=text, to=[names.EVERYONE], title=title, priority=priority, url=url)
        writer = people.accounts.writer(name)
        stored = messages.publish(writer, draft, new_id(), announced_by=COMMAND_LINE)
    click.echo(f"Sent to {stored.recipients}.")


@click.command()
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many, at most.")
@click.pass_obj
def activity(storage: Storage, limit: int) -> None:
    """What was done to accounts, groups and devices, newest first (times in UTC)."""
    with open_people(storage) as people:
        for row in people.activity.page(None, limit):
            click.echo("\t".join([day(row.at), row.actor, row.action, row.subject, row.detail]))
