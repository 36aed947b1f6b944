"""The services about people on one database, as every door and command gets them."""

from dataclasses import dataclass

from deskbell_server.clock import Clock
from deskbell_server.people.accounts import Accounts
from deskbell_server.people.activity import Activity
from deskbell_server.people.devices import Devices
from deskbell_server.people.groups import Groups
from deskbell_server.people.tickets import Tickets
from deskbell_server.store.database import Database


@dataclass(frozen=True, slots=True)
class People:
    database: Database
    devices: Devices
    accounts: Accounts
    groups: Groups
    tickets: Tickets
    activity: Activity
    clock: Clock
