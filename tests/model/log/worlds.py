"""Sizes of worlds: those of every run, and those that take longer."""

from random import Random

from tests.model.log.database import FOREIGN, GROUP, OPEN, OWN
from tests.model.log.world import Bounds, Left

SMALL: dict[str, Bounds] = {
    "two processes": Bounds(Left(commits=2, logins=1, heads=1), channels=(OWN, FOREIGN)),
    "moving": Bounds(Left(commits=1, logins=3, heads=1), channels=(OWN,)),
    "slow logins": Bounds(Left(commits=2, logins=1, heads=1), channels=(OWN,), slow_logins=True),
    "members": Bounds(Left(commits=2, logins=1, members=1, heads=1), processes=1, channels=(GROUP,)),
    "updates": Bounds(Left(commits=1, logins=1, members=1, updates=1), processes=1, channels=(GROUP,)),
    "two devices": Bounds(Left(commits=1, logins=2, heads=1), devices=2, channels=(OWN,)),
    "crashes": Bounds(Left(commits=2, logins=1, crashes=1, jumps=1, cuts=1), processes=1, channels=(OWN,)),
    "new devices": Bounds(
        Left(commits=2, logins=1, removals=1), processes=1, channels=(OWN, FOREIGN), new_devices=True, page=1
    ),
    "removals": Bounds(Left(commits=2, logins=1, removals=1), processes=1, channels=(OWN, FOREIGN)),
    "pages": Bounds(Left(commits=3, logins=1), processes=1, channels=(OWN, FOREIGN), page=1, window=2, feed_limit=1),
    "late answers": Bounds(Left(commits=2, logins=2, removals=1), processes=1, channels=(OWN,), page=1),
    "another store": Bounds(Left(commits=2, logins=1, replaced=1), processes=1, channels=(OWN,), page=1),
    "restores": Bounds(Left(commits=1, logins=1, restores=1), channels=(OWN,), slow_logins=True),
}

LARGE: dict[str, Bounds] = {
    "two processes": Bounds(Left(commits=3, logins=2), channels=(OWN, FOREIGN)),
    "three processes": Bounds(Left(commits=2, logins=2), processes=3, channels=(OWN,)),
    "slow logins": Bounds(Left(commits=3, logins=2, heads=1), channels=(OWN,), slow_logins=True),
    "members": Bounds(Left(commits=2, logins=1, members=2), channels=(GROUP,)),
    "removals": Bounds(Left(commits=2, logins=2, removals=1, members=1), processes=1, channels=(OWN, GROUP)),
    "two devices": Bounds(Left(commits=2, logins=2), devices=2, channels=(OWN,), slow_logins=True),
    "crashes": Bounds(Left(commits=2, logins=2, crashes=1, jumps=1), channels=(OWN,)),
    "restores": Bounds(Left(commits=2, logins=1, restores=1), channels=(OWN,), slow_logins=True),
}


def any_world(chance: Random) -> Bounds:
    """Everything at once."""
    left = Left(chance.randint(3, 7), 5, 3, 2, 3, 2, 2, chance.choice((0, 2, 3)), 2, 1)
    return Bounds(
        left,
        processes=chance.choice((2, 3)),
        devices=chance.choice((1, 2)),
        page=chance.choice((1, 2, 3)),
        window=chance.choice((2, OPEN)),
        feed_limit=chance.choice((1, 2, OPEN)),
        slow_logins=chance.random() < 0.5,
        new_devices=chance.random() < 0.5,
        queue=chance.choice((1, 2, 3)),
    )
