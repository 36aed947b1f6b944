"""The command line of the server: `deskbell-server [--data …] COMMAND`."""

from deskbell_server.cli.main import command

__all__ = ["command"]
