"""Click options made from the table of settings, so that no setting is described twice."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from deskbell_server.process.config import Option


class Finite(click.FloatRange):
    """A number between bounds, which NaN passes without being one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return number if math.isfinite(number) else self.fail(f"{value} is not a number to count with.", param, ctx)


F = TypeVar("F", bound=Callable[..., Any])


def options(table: tuple[Option, ...]) -> Callable[[F], F]:
    """A decorator that gives a click command these options."""

    def decorate(command: F) -> F:
        for option in reversed(table):
            command = click.option(
                f"--{option.name}",
                default=option.default,
                show_default=option.default not in (None, "", ()),
                show_envvar=True,
                help=option.help,
                **_kind(option),
            )(command)
        return command

    return decorate


def _kind(option: Option) -> dict[str, Any]:
    default = option.default
    if option.choices:
        bare = {"is_flag": False, "flag_value": option.bare} if option.bare else {}
        return {"type": click.Choice(option.choices), **bare}
    if isinstance(default, bool):
        return {"is_flag": True}
    if isinstance(default, int):
        return {"type": click.IntRange(option.low, option.high)}
    if isinstance(default, float):
        return {"type": Finite(option.low, option.high)}
    if isinstance(default, tuple):
        return {"multiple": True}
    return {"type": click.Path(path_type=Path) if default is None or isinstance(default, Path) else str}
