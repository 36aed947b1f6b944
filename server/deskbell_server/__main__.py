"""The command `deskbell-server`. Nothing of the server is imported before its libraries are known to be there."""

import sys


def main() -> None:
    try:
        from deskbell_server.cli import command
    except ImportError as problem:
        if (problem.name or "").startswith("deskbell_server"):
            raise
        from deskbell_server.errors import remedy

        sys.exit(f"deskbell-server needs {problem.name}, which is not installed. {remedy('server')}")
    command()


if __name__ == "__main__":
    main()
