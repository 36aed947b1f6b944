"""To whom a message goes: names and replies, resolved in the transaction that stores it."""

from dataclasses import dataclass

from deskbell_protocol import names
from deskbell_protocol.errors import Code
from deskbell_protocol.wire import Party, Publish
from deskbell_server.errors import RefusedError
from deskbell_server.messaging import viewing
from deskbell_server.people import texts
from deskbell_server.people.groups import EVERYONE, may_announce
from deskbell_server.principals import Principal
from deskbell_server.store import groups, users
from deskbell_server.store.database import Connection

_NAMED_MOST = 20
"""So many unknown names are told."""


@dataclass(frozen=True, slots=True)
class Audience:
    """The parties as addressed, and how many people receive it: the sender only when named singly."""

    parties: list[Party]
    recipients: int


def resolve(connection: Connection, principal: Principal, draft: Publish) -> Audience:
    """RefusedError `unknown_recipient`, `not_found` or `forbidden` when it cannot go there."""
    if draft.reply_to is not None:
        parties = _answered(connection, principal, viewing.parties_seen(connection, principal, draft.reply_to))
    else:
        parties = _named(connection, principal, draft.to or [])
    return Audience(parties, _count(connection, principal, parties))


def _named(connection: Connection, principal: Principal, written: list[str]) -> list[Party]:
    """In the order of writing, each once. A group that somebody may not write to is unknown to them."""
    by_key: dict[str, str] = {}
    for name in written:
        by_key.setdefault(texts.folded(name), name)
    group_keys = [key for key in by_key if key.startswith(names.GROUP_SIGN)]
    found = users.parties_by_key(connection, [key for key in by_key if key not in group_keys])
    if group_keys:
        by_group_key = groups.by_key(connection, group_keys)
        found |= {key: group for key, group in by_group_key.items() if _may_write(connection, principal, group)}
        found[names.EVERYONE] = EVERYONE
    if unknown := [name for key, name in by_key.items() if key not in found]:
        raise _unknown(*unknown)
    return [found[key] for key in by_key]


def _answered(connection: Connection, principal: Principal, seen: tuple[Party, list[Party]] | None) -> list[Party]:
    """A group's message is answered to the group, another's to its sender, my own to whom I wrote it."""
    if seen is None:
        raise RefusedError(Code.NOT_FOUND, "reply_to: there is no such message")
    sender, parties = seen
    to_group = len(parties) == 1 and parties[0].kind == "group"
    targets = parties if to_group or sender.id == principal.user_id else [sender]
    today = [_today(connection, party) for party in targets]
    for party in today:
        if not _may_write(connection, principal, party):
            why = f"you may not write to {party.name}: you are not a member"
            raise RefusedError(Code.FORBIDDEN, why, names=[party.name])
    return today


def _today(connection: Connection, party: Party) -> Party:
    """A party as it is called now."""
    if party.kind != "group":
        found = users.parties_by_id(connection, [party.id])
        now = found[0] if found else None
    else:
        now = EVERYONE if party.id == EVERYONE.id else groups.by_id(connection, party.id)
    if now is None:
        raise _unknown(party.name)
    return now


def _count(connection: Connection, principal: Principal, parties: list[Party]) -> int:
    me, singly = principal.user_id, {party.id for party in parties if party.kind == "person"}
    if EVERYONE in parties:
        if not may_announce(connection, me):
            raise RefusedError(Code.FORBIDDEN, f"you may not write to {names.EVERYONE}", names=[names.EVERYONE])
        return users.count_enabled(connection) - (me not in singly)
    of_groups = {
        member for party in parties if party.kind == "group" for member in groups.member_ids(connection, party.id)
    }
    return len((of_groups - {me}) | singly)


def _may_write(connection: Connection, principal: Principal, party: Party) -> bool:
    """Of people and `@everyone` it is not asked here."""
    if party.kind != "group" or party.id == EVERYONE.id or principal.is_admin:
        return True
    return groups.is_member(connection, party.id, principal.user_id)


def _unknown(*names_written: str) -> RefusedError:
    shown = ", ".join(names_written[:_NAMED_MOST])
    more = f" and {len(names_written) - _NAMED_MOST} more" if len(names_written) > _NAMED_MOST else ""
    message = f"there is nobody called {shown}{more}"
    return RefusedError(Code.UNKNOWN_RECIPIENT, message, names=names_written[:_NAMED_MOST])
