"""Nights in which a source brought nothing."""

from alembic import op

revision = "0007"
down_revision = "0006"

TABLES = """
CREATE TABLE quality.night (
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    night TIMESTAMP WITH TIME ZONE NOT NULL,
    file_count INTEGER NOT NULL,
    noted_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (region_code, source, night)
);
COMMENT ON TABLE quality.night IS 'Grain: one night of a source of incidents, also one that brought nothing';
COMMENT ON COLUMN quality.night.night IS 'End of the local day';
COMMENT ON COLUMN quality.night.file_count IS 'Files of incidents that the source brought; 0: it is silent';
"""

GRANTS = """
grant select, insert, update on quality.night to otklik_loader;
grant select on quality.night
    to otklik_transformer, otklik_publisher, otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add the table."""
    for script in (TABLES, GRANTS):
        op.execute(script)
