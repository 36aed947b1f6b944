"""The tables, as SQLAlchemy metadata: what the migrations must add up to. Times are milliseconds, ids UUIDv7 text."""

from typing import Any

import sqlalchemy as sa

_WHERE_CID: Any = {f"{kind}_where": sa.text("cid IS NOT NULL") for kind in ("sqlite", "postgresql")}


def make_metadata() -> sa.MetaData:
    """All tables. Keys of the hot path are chosen so that a message costs few pages."""
    metadata = sa.MetaData()
    _people(metadata)
    _logs(metadata)
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


def _logs(metadata: sa.MetaData) -> None:
    sa.Table(
        "streams",
        metadata,
        _key("user_id", "users.id"),
        _number("head"),
        _number("floor"),
        _number("read_up_to"),
        sqlite_with_rowid=False,
    )
    sa.Table(
        "messages",
        metadata,
        _key("id"),
        sa.Column("sender_id", sa.Text, nullable=False),
        _text("sender"),
        _text("parties"),
        _text("content"),
        _text("reply_to", nullable=True),
        _text("cid", nullable=True),
        _number("recipients"),
        _at("at"),
    )
    sa.Table(
        "events",
        metadata,
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        _text("kind"),
        _text("id"),
        _text("conversation", nullable=True),
        _at("at"),
        _text("data", nullable=True),
        sqlite_with_rowid=False,
    )
    sa.Table(
        "reads",
        metadata,
        _key("user_id", "users.id"),
        _key("message_id"),
        _at("at"),
        sqlite_with_rowid=False,
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
        sa.Index("ix_log_key", "sender", "cid", unique=True, **_WHERE_CID),
    )
    sa.Table(
        "members",
        metadata,
        _place("person"),
        _place("channel"),
        _place("from_seq"),
        sa.Column("to_seq", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    sa.Table("epochs", metadata, _place("first_seq"), _text("epoch"))
    sa.Table("marks", metadata, _place("person"), _place("channel"), _number("up_to"), sqlite_with_rowid=False)
    sa.Table("exceptions", metadata, _place("person"), _place("channel"), _place("seq"), sqlite_with_rowid=False)


def _doors(metadata: sa.MetaData) -> None:
    sa.Table(
        "idempotency",
        metadata,
        _key("key"),  # first, for most keys begin with the time: new ones stand on the same page
        _key("principal"),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        _text("message_id"),
        _at("created_at"),
        sa.Index("ix_idempotency_created_at", "created_at"),
        sqlite_with_rowid=False,
    )
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
        sa.Index("ix_scheduled_key", "user_id", "cid", **_WHERE_CID),
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
