"""Groups: names for several people at once. `@everyone` is always there."""

from deskbell_protocol import names
from deskbell_protocol.errors import Code
from deskbell_protocol.ids import new_id, now_ms
from deskbell_protocol.wire import Party
from deskbell_server.errors import RefusedError
from deskbell_server.people import membership, texts
from deskbell_server.people.activity import COMMAND_LINE
from deskbell_server.principals import Principal
from deskbell_server.store import devices as device_rows
from deskbell_server.store import doors
from deskbell_server.store import groups as rows
from deskbell_server.store import users as user_rows
from deskbell_server.store.database import Connection, Database
from deskbell_server.store.groups import GroupRow

EVERYONE = Party(id=names.EVERYONE, name=names.EVERYONE, display="Everyone", kind="group")
FOUND_MAX = 50


def group_name(name: str) -> str:
    """`name` with its sign, checked like a user's."""
    written = names.GROUP_SIGN + texts.clean_name(name.removeprefix(names.GROUP_SIGN))
    return names.EVERYONE if texts.folded(written) == names.EVERYONE else written


class Groups:
    """Members and admins may write to a group; admins, and whom they allow, to everyone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, group: str, members: list[str], display: str = "", actor: str = COMMAND_LINE) -> None:
        """Makes the group if it is new, and adds members. Members of `@everyone` are those who may write to it."""
        group, display, at = group_name(group), texts.clean_line("display", display), now_ms()

        def job(connection: Connection) -> None:
            users = [_user_id(connection, member) for member in members]
            if group == names.EVERYONE:
                for user_id in users:
                    user_rows.set_may_announce(connection, user_id, True)
            else:
                self._add(connection, group, display, users, at)
            doors.audit(connection, at, actor, "group.add", group, " ".join(members))

        self._database.write(job)

    def remove(self, group: str, members: list[str], actor: str = COMMAND_LINE) -> None:
        """Removes members; with none named, the group itself. What was written to it stays."""
        group, at = group_name(group), now_ms()

        def job(connection: Connection) -> None:
            users = [_user_id(connection, member) for member in members]
            if group == names.EVERYONE:
                if not users:
                    raise RefusedError(Code.INVALID, f"{names.EVERYONE} cannot be removed")
                for user_id in users:
                    user_rows.set_may_announce(connection, user_id, False)
            else:
                self._remove(connection, group, users, at)
            doors.audit(connection, at, actor, "group.remove", group, " ".join(members))

        self._database.write(job)

    def listed(self) -> list[GroupRow]:
        """All groups; for `@everyone`, who may write to it beside the admins."""

        def job(connection: Connection) -> list[GroupRow]:
            allowed = [user.name for user in user_rows.everyone(connection) if user.may_announce]
            return [GroupRow(names.EVERYONE, EVERYONE.display, allowed), *rows.listed(connection)]

        return self._database.read(job)

    def whom(self, principal: Principal, fragment: str) -> list[Party]:
        """Whom `principal` can write to and whose name holds `fragment`: who is called just so, whose name or a word of
        it begins so, the others; people before groups. Without a fragment groups first: they are few.
        """
        fragment = texts.folded(fragment)

        def job(connection: Connection) -> list[Party]:
            found = rows.search(connection, fragment, None if principal.is_admin else principal.user_id, FOUND_MAX)
            if fragment in names.EVERYONE and may_announce(connection, principal.user_id):
                found = [EVERYONE, *found]
            return found + user_rows.search(connection, fragment, FOUND_MAX)

        def rank(party: Party) -> tuple[bool, bool, bool]:
            words = texts.folded(f" {party.name} {party.display}").replace(names.GROUP_SIGN, "")
            begins = " " + fragment.removeprefix(names.GROUP_SIGN) in words
            return texts.folded(party.name) != fragment, not begins, party.kind == "group"

        found = self._database.read(job)
        return (sorted(found, key=rank) if fragment else found)[:FOUND_MAX]

    def _add(self, connection: Connection, group: str, display: str, users: list[str], at: int) -> None:
        key = texts.folded(group)
        rows.add(connection, new_id(at), group, key, display, at)
        party = rows.by_key(connection, [key])[key]
        if display:
            rows.set_display(connection, party.id, display)
        for user_id in users:
            rows.add_member(connection, party.id, user_id)
            membership.join(connection, party, user_id, at)

    def _remove(self, connection: Connection, group: str, users: list[str], at: int) -> None:
        found = rows.by_key(connection, [texts.folded(group)])
        if not found:
            raise RefusedError(Code.NOT_FOUND, f"there is no group called {group}")
        party = next(iter(found.values()))
        for user_id in users or rows.all_member_ids(connection, party.id):
            if not rows.remove_member(connection, party.id, user_id):
                raise RefusedError(Code.NOT_FOUND, f"not everybody named is in {group}")
            membership.leave(connection, party, user_id, at)
        if not users:
            rows.remove(connection, party.id)


def may_announce(connection: Connection, user_id: str) -> bool:
    """Whether that user may write to `@everyone` now; what is known of them from their login may be old."""
    now = device_rows.writer(connection, user_id)
    return now is not None and (now.is_admin or now.may_announce)


def writable(connection: Connection, user_id: str) -> list[str] | None:
    """Ids of the groups that the user may write to now; None: all."""
    now = device_rows.writer(connection, user_id)
    if now is None or now.is_admin:
        return None if now else []
    return [*([EVERYONE.id] if now.may_announce else []), *rows.ids_of(connection, user_id)]


def _user_id(connection: Connection, name: str) -> str:
    user = user_rows.by_name(connection, texts.folded(name))
    if user is None:
        raise RefusedError(Code.NOT_FOUND, f"there is no user called {name}")
    return user.id
