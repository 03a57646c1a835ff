"""Counts from file to mart, what dbt found, how old the newest data was, and every figure that was ever shown."""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLES = """
CREATE TABLE quality.reconciliation (
    run_id UUID NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    entity TEXT NOT NULL,
    night TIMESTAMP WITH TIME ZONE NOT NULL,
    landed_count BIGINT NOT NULL,
    rejected_count BIGINT NOT NULL,
    duplicate_count BIGINT NOT NULL,
    raw_count BIGINT NOT NULL,
    gone_count BIGINT NOT NULL,
    staging_count BIGINT NOT NULL,
    superseded_count BIGINT,
    withdrawn_count BIGINT,
    mart_count BIGINT,
    incident_count BIGINT,
    answered_count BIGINT,
    not_answered_count BIGINT,
    unexplained_count BIGINT NOT NULL,
    PRIMARY KEY (run_id, region_code, source, entity, night),
    FOREIGN KEY(run_id) REFERENCES quality.check_run (run_id)
);
COMMENT ON TABLE quality.reconciliation IS
    'Grain: one night of one entity as a run counted it from file to mart; NULL where there is no such step';
COMMENT ON COLUMN quality.reconciliation.night IS 'End of the night or answer the rows came with';
COMMENT ON COLUMN quality.reconciliation.landed_count IS 'Rows in what landed';
COMMENT ON COLUMN quality.reconciliation.rejected_count IS 'of them refused, each with its reasons';
COMMENT ON COLUMN quality.reconciliation.duplicate_count IS 'of them unchanged since an earlier file';
COMMENT ON COLUMN quality.reconciliation.raw_count IS 'of them in raw: landed - rejected - duplicate';
COMMENT ON COLUMN quality.reconciliation.gone_count IS 'Versions in raw that say a row is there no more';
COMMENT ON COLUMN quality.reconciliation.staging_count IS 'Versions in staging: raw + gone';
COMMENT ON COLUMN quality.reconciliation.superseded_count IS 'of them with a later version';
COMMENT ON COLUMN quality.reconciliation.withdrawn_count IS 'of them the latest, which says the row is there no more';
COMMENT ON COLUMN quality.reconciliation.mart_count IS 'of them in the mart: staging - superseded - withdrawn';
COMMENT ON COLUMN quality.reconciliation.incident_count IS 'Incidents whose state they tell';
COMMENT ON COLUMN quality.reconciliation.answered_count IS 'of them answered, by their events';
COMMENT ON COLUMN quality.reconciliation.not_answered_count IS 'of them not yet answered: incidents - answered';
COMMENT ON COLUMN quality.reconciliation.unexplained_count IS 'Rows that none of these explains';
CREATE TABLE quality.dbt_result (
    build_id UUID NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT,
    status TEXT NOT NULL,
    failures BIGINT,
    row_count BIGINT,
    seconds FLOAT NOT NULL,
    PRIMARY KEY (build_id, name),
    FOREIGN KEY(build_id) REFERENCES quality.build (build_id)
);
COMMENT ON TABLE quality.dbt_result IS 'Grain: one model, seed or test of one build';
COMMENT ON COLUMN quality.dbt_result.name IS 'Of the model, seed or test';
COMMENT ON COLUMN quality.dbt_result.kind IS 'model, seed or test';
COMMENT ON COLUMN quality.dbt_result.model IS 'The model that a test is of';
COMMENT ON COLUMN quality.dbt_result.status IS 'As dbt says it: success, pass, warn, fail, error, skipped';
COMMENT ON COLUMN quality.dbt_result.failures IS 'Rows that a test found';
COMMENT ON COLUMN quality.dbt_result.row_count IS 'Rows that a model wrote';
CREATE TABLE quality.freshness (
    checked_at TIMESTAMP WITH TIME ZONE NOT NULL,
    source TEXT NOT NULL,
    latest_at TIMESTAMP WITH TIME ZONE,
    status TEXT NOT NULL,
    PRIMARY KEY (checked_at, source)
);
COMMENT ON TABLE quality.freshness IS 'Grain: one table of raw whose age was looked at';
COMMENT ON COLUMN quality.freshness.source IS 'Table of raw';
COMMENT ON COLUMN quality.freshness.latest_at IS 'When its newest rows were loaded; unknown without any';
COMMENT ON COLUMN quality.freshness.status IS 'As dbt says it: pass, warn, error';

CREATE TABLE quality.figure (
    region_code TEXT NOT NULL,
    period_kind TEXT CHECK (period_kind in ('year', 'month')) NOT NULL,
    period_start DATE NOT NULL,
    scope TEXT CHECK (scope in ('region', 'authority')) NOT NULL,
    authority TEXT NOT NULL,
    metric TEXT NOT NULL,
    value NUMERIC,
    since BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (region_code, metric, period_kind, period_start, scope, authority, since),
    FOREIGN KEY(since) REFERENCES quality.publication (publication_id),
    FOREIGN KEY(until) REFERENCES quality.publication (publication_id)
);
COMMENT ON TABLE quality.figure IS
    'Grain: one figure from the publication that first showed this value to the one that showed another';
COMMENT ON COLUMN quality.figure.authority IS 'Empty: the whole region, or in scope authority unknown';
COMMENT ON COLUMN quality.figure.value IS 'NULL: unknown, or the figure was there no more';
COMMENT ON COLUMN quality.figure.until IS 'NULL: it is what is shown';
"""

GRANTS = """
grant insert on quality.reconciliation, quality.dbt_result, quality.freshness to otklik_publisher;
grant insert, update on quality.figure to otklik_publisher;
grant select on quality.reconciliation, quality.dbt_result, quality.freshness, quality.figure
    to otklik_transformer, otklik_publisher, otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add the tables."""
    for script in (TABLES, GRANTS):
        op.execute(script)
