"""Of what people were told, and by which way."""

from alembic import op

revision = "0010"
down_revision = "0009"

TABLE = """
CREATE TABLE quality.told (
    way TEXT CHECK (way in ('mail', 'webhook')) NOT NULL,
    kind TEXT CHECK (kind in ('early_warning', 'night_not_published', 'failed_run', 'late_night')) NOT NULL,
    what TEXT NOT NULL,
    told_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (way, kind, what)
);
COMMENT ON TABLE quality.told IS 'Grain: one piece of news by one way: people are told of it once';
COMMENT ON COLUMN quality.told.what IS 'What makes it the same news: region, day, topic and place, night or run';
"""

GRANTS = """
grant select, insert on quality.told to otklik_publisher;
grant select on quality.told to otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add the table."""
    for script in (TABLE, GRANTS):
        op.execute(script)
