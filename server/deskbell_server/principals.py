"""Who asks: what a token stands for, as every service sees it."""

from dataclasses import dataclass

from deskbell_protocol.wire import Party


@dataclass(frozen=True, slots=True)
class Principal:
    """A user on one of their devices."""

    user_id: str
    name: str
    display: str
    device_id: str
    device_name: str
    is_admin: bool
    may_announce: bool
    number: int
    """What the log calls the user."""
    from_seq: int = 0
    """From there on they see what is said to everyone."""

    @property
    def party(self) -> Party:
        return Party(id=self.user_id, name=self.name, display=self.display)
