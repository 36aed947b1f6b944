"""What the server is, under whatever address: an id for life, which a restore keeps."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.execute(sa.text("INSERT INTO meta (key, value) VALUES ('server', :id)").bindparams(id=secrets.token_hex(16)))
