"""The command group: options that concern the whole server, errors without tracebacks, and `serve`."""

import sys
from pathlib import Path
from typing import Any

import click

from deskbell_protocol import __version__
from deskbell_server.cli.activity import activity, announce
from deskbell_server.cli.backup import backup, prune, restore
from deskbell_server.cli.devices import device
from deskbell_server.cli.groups import group
from deskbell_server.cli.options import options
from deskbell_server.cli.users import user
from deskbell_server.errors import DeskbellError
from deskbell_server.process import config


class Commands(click.Group):
    """Tells what went wrong in one line, with exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except DeskbellError as problem:
            raise click.ClickException(str(problem)) from problem


def read_file(ctx: click.Context, _parameter: click.Parameter, path: Path | None) -> None:
    if path is not None:
        try:
            ctx.default_map = config.load(path)
        except DeskbellError as problem:
            raise click.ClickException(str(problem)) from problem


@click.group(cls=Commands, context_settings={"auto_envvar_prefix": config.PREFIX, "max_content_width": 120})
@click.version_option(__version__, prog_name="deskbell-server")
@click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    is_eager=True,
    expose_value=False,
    callback=read_file,
    show_envvar=True,
    help="TOML file with any of these settings.",
)
@options(config.COMMON)
@click.pass_context
def command(ctx: click.Context, data: Path, database: str, redis: str) -> None:
    """The server of Deskbell: messages that ring at a desk."""
    ctx.obj = config.make_storage(data, database, redis)


def too(ctx: click.Context, parameter: click.Parameter, value: str) -> None:
    """An option of the whole server, given after `serve`."""
    assert ctx.parent
    if value and parameter.name:
        given = {name: ctx.parent.params[name] for name in ("data", "database", "redis")} | {parameter.name: value}
        ctx.parent.params[parameter.name] = value
        ctx.obj = config.make_storage(**given)


@command.command()
@options(config.SERVE)
@click.option("--database", default="", expose_value=False, callback=too, help="As before the command.")
@click.option("--redis", default="", expose_value=False, callback=too, help="As before the command.")
@click.pass_context
def serve(ctx: click.Context, /, **values: Any) -> None:
    """Run the server, until it is told to stop."""
    settings = config.Settings(storage=ctx.obj, **values)
    if settings.workers > 1:
        from deskbell_server.process.supervisor import Supervisor

        sys.exit(Supervisor(settings, run).run())
    run(settings)


def run(settings: config.Settings) -> None:
    """Serves in this process."""
    from deskbell_server.process import app

    app.serve(settings, click.echo)


for subcommand in (user, device, group, announce, activity, backup, restore, prune):
    command.add_command(subcommand)
