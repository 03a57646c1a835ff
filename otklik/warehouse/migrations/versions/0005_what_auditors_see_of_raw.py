"""The ledger and the rejected rows as auditors and analysts see them, without `raw`."""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLES = """
ALTER TABLE raw.rejected_row ADD shown_reasons JSONB;
ALTER TABLE raw.rejected_row ADD shown_row JSONB;
COMMENT ON COLUMN raw.rejected_row.shown_reasons IS
    '[{code, column, message}], personal data masked; unknown of older rows';
COMMENT ON COLUMN raw.rejected_row.shown_row IS
    'The row, personal data masked or hidden; unknown of older rows';
"""

# Owned by who owns the tables: who may read a view need not be able to read what it shows.
VIEWS = """
create view quality.batch as
select
    batch_id, source, entity, region_code, interval_from, interval_to, file_name, landed_path, content_sha256,
    mapping_sha256, file_bytes, status, error, rows_read, rows_loaded, rows_rejected, rows_unchanged, rows_deleted,
    started_at, finished_at, known_at, otklik_version
from raw.batch;
comment on view quality.batch is 'The ledger: one line for each file or answer read';

create view quality.rejected_row as
select rejected_row_id, batch_id, row_number, shown_reasons as reasons, shown_row as content
from raw.rejected_row;
comment on view quality.rejected_row is 'Rows that a contract refused, with the reasons; personal data masked';
comment on column quality.rejected_row.reasons is
    '[{code, column, message}]; unknown of rows refused by older versions';
comment on column quality.rejected_row.content is 'The row as it came: {column: text}; personal data masked or hidden';
"""

GRANTS = """
grant select on quality.batch, quality.rejected_row to otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add what auditors see."""
    for script in (TABLES, VIEWS, GRANTS):
        op.execute(script)
