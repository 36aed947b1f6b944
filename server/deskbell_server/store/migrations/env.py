"""Run by Alembic: applies the revisions on the connection that `store.migrate` has locked."""

from alembic import context

from deskbell_server.store.schema import make_metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=make_metadata(), render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
