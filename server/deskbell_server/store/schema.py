"""The tables, as SQLAlchemy metadata: what the migrations must add up to. Times are milliseconds, ids UUIDv7 text; the
log has numbers.
"""

from typing import Any

import sqlalchemy as sa

from deskbell_server.store import channels


def _where(condition: str) -> Any:
    return {f"{kind}_where": sa.text(condition) for kind in ("sqlite", "postgresql")}


_WHERE_CID = _where("cid IS NOT NULL")


def make_metadata() -> sa.MetaData:
    """All tables. Keys of the hot path are chosen so that a message costs few pages."""
    metadata = sa.MetaData()
    _people(metadata)
    _log(metadata)
    _doors(metadata)
    return metadata


def _at(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=nullable)


def _key(name: str, target: str | None = None) -> "sa.Column[str]":
    if target:
        return sa.Column(name, sa.Text, sa.ForeignKey(target, ondelete="CASCADE"), primary_key=True)
    return sa.Column(name, sa.Text, primary_key=True)


def _called() -> "sa.Column[int]":
    """What the log calls a person or a group: never given out twice."""
    return sa.Column("number", sa.BigInteger, nullable=False, unique=True)


def _place(name: str) -> "sa.Column[int]":
    """A part of a primary key that we give out ourselves."""
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _people(metadata: sa.MetaData) -> None:
    sa.Table("meta", metadata, _key("key"), _text("value"))
    sa.Table(
        "users",
        metadata,
        _key("id"),
        _text("name"),
        sa.Column("name_key", sa.Text, nullable=False, unique=True),
        _text("display"),
        _text("display_key"),
        _text("password_hash"),
        _number("is_admin"),
        _number("may_announce"),
        _at("created_at"),
        _at("disabled_at", nullable=True),
        _called(),
    )
    sa.Table(
        "devices",
        metadata,
        _key("id"),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
        _text("name"),
        sa.Column("token_hash", sa.LargeBinary, nullable=False, unique=True),
        _number("acked_seq"),
        _number("shown_seq"),
        _at("created_at"),
        _at("last_used_at"),
        _at("revoked_at", nullable=True),
    )
    sa.Table(
        "groups",
        metadata,
        _key("id"),
        _text("name"),
        sa.Column("name_key", sa.Text, nullable=True, unique=True),
        _text("display"),
        _at("created_at"),
        _called(),
    )
    sa.Table(
        "group_members",
        metadata,
        _key("group_id", "groups.id"),
        _key("user_id", "users.id"),
        sa.Index("ix_group_members_user_id", "user_id"),
    )


def _log(metadata: sa.MetaData) -> None:
    sa.Table(
        "log",
        metadata,
        # SQLite keeps the rows by an INTEGER key, and by nothing else without a second tree.
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=False),
        sa.Column("channel", sa.BigInteger, nullable=False),
        _text("kind"),
        sa.Column("sender", sa.BigInteger, nullable=False),
        _at("at"),
        sa.Column("part", sa.BigInteger, nullable=False),
        _text("cid", nullable=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=True),
        sa.Column("recipients", sa.BigInteger, nullable=False),
        sa.Column("reply_to", sa.BigInteger, nullable=True),
        _text("content", nullable=True),
        sa.Index("ix_log_channel", "channel", "seq"),
        sa.Index("ix_log_key", "cid", "sender", **_WHERE_CID),  # most keys begin with the time: new ones stand together
    )
    sa.Table(
        "members",
        metadata,
        _place("person"),
        _place("channel"),
        _place("from_seq"),
        sa.Column("to_seq", sa.BigInteger, nullable=False),
        sa.Index("ix_members_of_groups", "channel", "to_seq", **_where(channels.OF_GROUP)),
        sqlite_with_rowid=False,
    )
    sa.Table("floors", metadata, _place("channel"), sa.Column("up_to", sa.BigInteger, nullable=False))
    sa.Table("epochs", metadata, _place("first_seq"), _text("epoch"))
    sa.Table("marks", metadata, _place("person"), _place("channel"), _number("up_to"), sqlite_with_rowid=False)
    sa.Table("exceptions", metadata, _place("person"), _place("channel"), _place("seq"), sqlite_with_rowid=False)


def _doors(metadata: sa.MetaData) -> None:
    sa.Table(
        "scheduled",
        metadata,
        _key("id"),
        sa.Column("user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
        _text("draft"),
        _text("cid", nullable=True),
        _number("recipients"),
        _at("deliver_at"),
        _at("created_at"),
        _text("problem", nullable=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        _at("cancelled_at", nullable=True),
        sa.Index("ix_scheduled_deliver_at", "deliver_at"),
        sa.Index("ix_scheduled_key", "cid", "user_id", **_WHERE_CID),
        sa.Index("ix_scheduled_user_id", "user_id", "deliver_at"),
    )
    sa.Table(
        "audit",
        metadata,
        _key("id"),
        _at("at"),
        _text("actor"),
        _text("action"),
        _text("subject"),
        _text("detail"),
    )
