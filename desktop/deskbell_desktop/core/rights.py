"""To which groups the person may write, as the last sync said; kept, because it is shown without a connection too."""

from collections.abc import Sequence

from deskbell_desktop.core.effects import Changed, Effect, KeepGroups


class Rights:
    """`groups` are ids; None: to all of them, or nothing is known yet."""

    def __init__(self, groups: Sequence[str] | None) -> None:
        self._groups = groups

    def answered(self, groups: Sequence[str] | None) -> list[Effect]:
        groups = None if groups is None else tuple(sorted(groups))
        if groups == self._groups:
            return []
        self._groups = groups
        return [KeepGroups(groups), Changed(frozenset())]

    def may_write(self, group: str) -> bool:
        return self._groups is None or group in self._groups
