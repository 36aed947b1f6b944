"""The one way to the files of this package, which may lie in a folder or in an archive: by name, as bytes."""

from importlib.resources import files
from importlib.resources.abc import Traversable


def resource(name: str) -> Traversable:
    """A file by its path inside the package, `icons/deskbell.svg`."""
    return files("deskbell_resources").joinpath(*name.split("/"))


def read(name: str) -> bytes:
    """The whole file. Raises FileNotFoundError."""
    return resource(name).read_bytes()
