"""Alembic's environment: one connection handed over by `otklik.warehouse.migrate`."""

from alembic import context

from otklik.warehouse.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_schemas=True,
    version_table_schema="raw",
)
with context.begin_transaction():
    context.run_migrations()
