"""Schemas, the ledger, incidents, rejected rows, check results, and who may do what."""

from alembic import op

revision = "0001"
down_revision = None

SCHEMAS = """
create schema quality;
create schema reference authorization otklik_transformer;
create schema staging authorization otklik_transformer;
create schema intermediate authorization otklik_transformer;
create schema marts authorization otklik_transformer;
"""

TABLES = """
CREATE TABLE raw.region (
    region_code TEXT NOT NULL,
    name TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (region_code)
);
COMMENT ON TABLE raw.region IS 'Regions whose data the warehouse holds, as their mappings name them';
COMMENT ON COLUMN raw.region.time_zone IS 'IANA zone in which the region counts its days';
CREATE TABLE raw.incident (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    message_id TEXT NOT NULL,
    incident_id TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    status TEXT NOT NULL,
    channel TEXT,
    priority TEXT,
    topic TEXT,
    subtopic TEXT,
    municipality_code TEXT,
    municipality TEXT,
    authority TEXT,
    received_at TIMESTAMP WITH TIME ZONE NOT NULL,
    registered_at TIMESTAMP WITH TIME ZONE,
    assigned_at TIMESTAMP WITH TIME ZONE,
    first_response_at TIMESTAMP WITH TIME ZONE,
    interim_at TIMESTAMP WITH TIME ZONE,
    resolved_at TIMESTAMP WITH TIME ZONE,
    closed_at TIMESTAMP WITH TIME ZONE,
    reopened_at TIMESTAMP WITH TIME ZONE,
    due_at TIMESTAMP WITH TIME ZONE,
    reopened_count INTEGER,
    author_id TEXT,
    author_name TEXT,
    author_url TEXT,
    message_url TEXT,
    message_text TEXT,
    author_hash TEXT,
    PRIMARY KEY (region_code, source, message_id, updated_at, batch_id, row_number)
);
CREATE INDEX incident_by_incident ON raw.incident (region_code, source, incident_id);
CREATE INDEX incident_by_batch ON raw.incident USING brin (batch_id);
COMMENT ON TABLE raw.incident IS 'Grain: one version of one message with the state of its incident, as a file told it';
COMMENT ON COLUMN raw.incident.row_number IS 'Row in the file; the header is row 1';
COMMENT ON COLUMN raw.incident.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.incident.row_hash IS 'Of all mapped fields; equal hash means unchanged';
COMMENT ON COLUMN raw.incident.author_id IS 'Personal data: never leaves raw';
COMMENT ON COLUMN raw.incident.author_name IS 'Personal data: never leaves raw';
COMMENT ON COLUMN raw.incident.author_url IS 'Personal data: never leaves raw';
COMMENT ON COLUMN raw.incident.message_url IS 'Personal data: never leaves raw';
COMMENT ON COLUMN raw.incident.message_text IS 'Personal data: never leaves raw';
COMMENT ON COLUMN raw.incident.author_hash IS 'HMAC-SHA-256 of the author, hex; NULL where the author is unknown';
CREATE TABLE quality.check_run (
    run_id UUID NOT NULL,
    suite TEXT NOT NULL,
    region_code TEXT,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    success BOOLEAN NOT NULL,
    evaluated INTEGER NOT NULL,
    failed_critical INTEGER NOT NULL,
    failed_warning INTEGER NOT NULL,
    PRIMARY KEY (run_id)
);
COMMENT ON TABLE quality.check_run IS 'One line for each run of a suite of checks';
COMMENT ON COLUMN quality.check_run.success IS 'No critical expectation failed';
CREATE TABLE raw.batch (
    batch_id BIGINT GENERATED ALWAYS AS IDENTITY,
    source TEXT NOT NULL,
    entity TEXT NOT NULL,
    region_code TEXT NOT NULL,
    interval_from TIMESTAMP WITH TIME ZONE NOT NULL,
    interval_to TIMESTAMP WITH TIME ZONE NOT NULL,
    file_name TEXT NOT NULL,
    landed_path TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    mapping_sha256 TEXT NOT NULL,
    file_bytes BIGINT,
    status TEXT NOT NULL CHECK (status in ('loaded', 'failed')),
    error TEXT,
    rows_read BIGINT DEFAULT '0' NOT NULL,
    rows_loaded BIGINT DEFAULT '0' NOT NULL,
    rows_rejected BIGINT DEFAULT '0' NOT NULL,
    rows_unchanged BIGINT DEFAULT '0' NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    otklik_version TEXT NOT NULL,
    PRIMARY KEY (batch_id),
    CONSTRAINT batch_every_row_accounted_for CHECK (rows_read = rows_loaded + rows_rejected + rows_unchanged),
    CONSTRAINT batch_interval_not_empty CHECK (interval_from < interval_to),
    FOREIGN KEY(region_code) REFERENCES raw.region (region_code)
);
CREATE UNIQUE INDEX batch_once ON raw.batch (source, entity, file_name, content_sha256, mapping_sha256, status);
COMMENT ON TABLE raw.batch IS 'Ledger: one line for each file read (each member of a zip), loaded or failed';
CREATE TABLE quality.check_result (
    check_result_id BIGINT GENERATED ALWAYS AS IDENTITY,
    run_id UUID NOT NULL,
    expectation TEXT NOT NULL,
    "column" TEXT,
    severity TEXT NOT NULL CHECK (severity in ('critical', 'warning')),
    success BOOLEAN NOT NULL,
    observed TEXT,
    protects TEXT NOT NULL,
    PRIMARY KEY (check_result_id),
    FOREIGN KEY(run_id) REFERENCES quality.check_run (run_id)
);
CREATE INDEX ix_quality_check_result_run_id ON quality.check_result (run_id);
COMMENT ON TABLE quality.check_result IS 'One line for each expectation of a run';
COMMENT ON COLUMN quality.check_result.protects IS 'What the check guards, in Russian';
CREATE TABLE raw.rejected_row (
    rejected_row_id BIGINT GENERATED ALWAYS AS IDENTITY,
    batch_id BIGINT NOT NULL,
    row_number BIGINT,
    reasons JSONB NOT NULL,
    original JSONB NOT NULL,
    PRIMARY KEY (rejected_row_id),
    FOREIGN KEY(batch_id) REFERENCES raw.batch (batch_id)
);
CREATE INDEX ix_raw_rejected_row_batch_id ON raw.rejected_row (batch_id);
COMMENT ON TABLE raw.rejected_row IS 'Rows that a contract refused, with the reasons and the original content';
COMMENT ON COLUMN raw.rejected_row.row_number IS 'Row in the file; the header is row 1';
COMMENT ON COLUMN raw.rejected_row.reasons IS '[{code, column, value, message}]';
COMMENT ON COLUMN raw.rejected_row.original IS 'The row as it came: {column: text}';
"""

# Each role gets what its work needs and nothing by default: a new table stays closed until granted.
GRANTS = """
grant usage on schema raw to otklik_loader, otklik_transformer, otklik_publisher, otklik_engineer;
grant select, insert, update on raw.batch, raw.region to otklik_loader;
grant select, insert on raw.incident, raw.rejected_row to otklik_loader;
grant select on all tables in schema raw to otklik_transformer, otklik_publisher, otklik_engineer;
grant usage on schema quality
    to otklik_transformer, otklik_publisher, otklik_analyst, otklik_auditor, otklik_engineer;
grant select on all tables in schema quality
    to otklik_transformer, otklik_publisher, otklik_analyst, otklik_auditor, otklik_engineer;
grant insert on quality.check_run, quality.check_result to otklik_publisher;
grant usage on schema marts to otklik_publisher, otklik_reader, otklik_analyst, otklik_auditor, otklik_engineer;
grant usage on schema reference, staging, intermediate to otklik_publisher, otklik_engineer;
"""


def upgrade() -> None:
    """Create everything of the first version."""
    for script in (SCHEMAS, TABLES, GRANTS):
        op.execute(script)
