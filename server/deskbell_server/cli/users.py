"""`deskbell-server user …`"""

import sys

import click

from deskbell_server.process.config import Storage
from deskbell_server.process.services import open_people


@click.group()
def user() -> None:
    """Accounts."""


def ask_password() -> str:
    """From the terminal, twice; otherwise the first line of stdin, so that it is in no list of processes."""
    if sys.stdin is None:  # closed by the caller: `<&-`
        raise click.UsageError("the password comes from stdin, which is closed")
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline()
    if not line:
        raise click.ClickException("the password is the first line of stdin, and nothing came")
    return line.rstrip("\r\n")


@user.command()
@click.argument("name")
@click.option("--admin", is_flag=True, help="May manage the server and write to everyone.")
@click.option("--display", default="", help="How the name is shown, such as 'Maria Garcia'.")
@click.pass_obj
def add(storage: Storage, name: str, admin: bool, display: str) -> None:
    """Make an account; the password comes from a prompt or from stdin."""
    with open_people(storage, make=True) as people:
        people.accounts.check_new(name, display)
        party = people.accounts.add(name, ask_password(), display=display, admin=admin)
    click.echo(f"Added {party.name}.")


@user.command()
@click.argument("name")
@click.option("--log-out", is_flag=True, help="Also sign out all devices of this user.")
@click.pass_obj
def passwd(storage: Storage, name: str, log_out: bool) -> None:
    """Set another password, from a prompt or from stdin."""
    with open_people(storage) as people:
        people.accounts.check_known(name)
        people.accounts.set_password(name, ask_password(), log_out=log_out)
    click.echo(f"Changed the password of {name}.")


@user.command()
@click.argument("name")
@click.pass_obj
def link(storage: Storage, name: str) -> None:
    """A link with which a user chooses a password, once, within three days; it also logs them out everywhere."""
    with open_people(storage) as people:
        ticket = people.accounts.link(name)
    click.echo(f"Put this behind the server's address: /password#{ticket}")


@user.command("list")
@click.pass_obj
def list_users(storage: Storage) -> None:
    """All accounts."""
    with open_people(storage) as people:
        for found in people.accounts.everyone():
            marks = [word for word, is_so in (("admin", found.is_admin), ("disabled", found.disabled_at)) if is_so]
            click.echo("\t".join([found.name, found.display, ",".join(marks)]))


@user.command()
@click.argument("name")
@click.option("--undo", is_flag=True, help="Let the user in again; they must sign in anew.")
@click.pass_obj
def disable(storage: Storage, name: str, undo: bool) -> None:
    """Log a user out everywhere and keep them out."""
    with open_people(storage) as people:
        people.accounts.set_disabled(name, not undo)
    click.echo(f"{'Enabled' if undo else 'Disabled'} {name}.")
