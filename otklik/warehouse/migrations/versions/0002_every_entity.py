"""Every entity of the contracts in a table of one form; fields of the sources are watched; rows can be deleted."""

from alembic import op

revision = "0002"
down_revision = "0001"

INCIDENT = """
alter table raw.incident
    drop constraint incident_pkey,
    add constraint incident_pkey primary key (batch_id, row_number, region_code),
    add column is_deleted boolean default 'false' not null,
    add column masked_text text;
-- Nobody asks `raw` by incident, and the primary key now begins with the batch.
drop index raw.incident_by_incident, raw.incident_by_batch;
create index incident_by_key on raw.incident (message_id, updated_at);
comment on column raw.incident.row_number is 'Row in the file or answer; a header is row 1';
comment on column raw.incident.row_hash is 'Of all fields; equal hash means unchanged';
comment on column raw.incident.is_deleted is 'The source has it no more';
comment on column raw.incident.masked_text is
    'message_text without phones, e-mails and numbers of documents; NULL where it has none';
comment on table raw.incident is 'Grain: one version of one incident, as a source told it';
alter table raw.batch
    add column rows_deleted bigint default '0' not null,
    add column known_at timestamptz;
update raw.batch set known_at = interval_to;
alter table raw.batch alter column known_at set not null;
comment on column raw.batch.known_at is
    'Nothing in it is later: the end of the night, or when a system answered if that was later';
comment on column raw.batch.rows_deleted is
    'Versions written because the source has a row no more; they are none of the rows read';
"""

TABLES = """
CREATE TABLE raw.authority (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    authority_id TEXT NOT NULL,
    name TEXT NOT NULL,
    level TEXT,
    founder TEXT,
    municipality_code TEXT,
    municipality TEXT,
    valid_from DATE,
    valid_to DATE,
    CONSTRAINT authority_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX authority_by_key ON raw.authority (authority_id, updated_at);
COMMENT ON TABLE raw.authority IS 'Grain: one version of one authority, as a source told it';
COMMENT ON COLUMN raw.authority.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.authority.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.authority.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.authority.is_deleted IS 'The source has it no more';
CREATE TABLE raw.page (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    page_id TEXT NOT NULL,
    network TEXT NOT NULL,
    external_id TEXT NOT NULL,
    authority_id TEXT NOT NULL,
    name TEXT,
    url TEXT,
    opened_on DATE,
    closed_on DATE,
    valid_from DATE,
    valid_to DATE,
    CONSTRAINT page_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX page_by_key ON raw.page (page_id, updated_at);
COMMENT ON TABLE raw.page IS 'Grain: one version of one page, as a source told it';
COMMENT ON COLUMN raw.page.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.page.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.page.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.page.is_deleted IS 'The source has it no more';
CREATE TABLE raw.page_snapshot (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    page_id TEXT NOT NULL,
    network TEXT NOT NULL,
    external_id TEXT NOT NULL,
    observed_at TIMESTAMP WITH TIME ZONE NOT NULL,
    method TEXT NOT NULL,
    members_count BIGINT,
    not_read TEXT,
    not_read_detail TEXT,
    name TEXT,
    is_verified BOOLEAN,
    has_description BOOLEAN,
    has_avatar BOOLEAN,
    has_cover BOOLEAN,
    has_government_mark BOOLEAN,
    posts_7_days BIGINT,
    reach_7_days BIGINT,
    CONSTRAINT page_snapshot_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX page_snapshot_by_key ON raw.page_snapshot (page_id, method, observed_at, updated_at);
COMMENT ON TABLE raw.page_snapshot IS 'Grain: one version of one page snapshot, as a source told it';
COMMENT ON COLUMN raw.page_snapshot.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.page_snapshot.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.page_snapshot.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.page_snapshot.is_deleted IS 'The source has it no more';
CREATE TABLE raw.survey (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    survey_id TEXT NOT NULL,
    system TEXT NOT NULL,
    external_id TEXT NOT NULL,
    title TEXT NOT NULL,
    topic TEXT,
    municipality_code TEXT,
    opened_on DATE,
    closed_on DATE,
    CONSTRAINT survey_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX survey_by_key ON raw.survey (survey_id, updated_at);
COMMENT ON TABLE raw.survey IS 'Grain: one version of one survey, as a source told it';
COMMENT ON COLUMN raw.survey.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.survey.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.survey.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.survey.is_deleted IS 'The source has it no more';
CREATE TABLE raw.survey_question (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    survey_id TEXT NOT NULL,
    question_code TEXT NOT NULL,
    subquestion_code TEXT,
    language TEXT NOT NULL,
    position BIGINT,
    kind TEXT NOT NULL,
    source_kind TEXT,
    text TEXT,
    CONSTRAINT survey_question_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX survey_question_by_key ON raw.survey_question (survey_id, question_code, language, updated_at);
COMMENT ON TABLE raw.survey_question IS 'Grain: one version of one survey question, as a source told it';
COMMENT ON COLUMN raw.survey_question.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.survey_question.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.survey_question.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.survey_question.is_deleted IS 'The source has it no more';
CREATE TABLE raw.survey_option (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    survey_id TEXT NOT NULL,
    question_code TEXT NOT NULL,
    option_code TEXT NOT NULL,
    language TEXT NOT NULL,
    position BIGINT,
    text TEXT,
    CONSTRAINT survey_option_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX survey_option_by_key ON raw.survey_option (survey_id, question_code, option_code, language, updated_at);
COMMENT ON TABLE raw.survey_option IS 'Grain: one version of one survey option, as a source told it';
COMMENT ON COLUMN raw.survey_option.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.survey_option.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.survey_option.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.survey_option.is_deleted IS 'The source has it no more';
CREATE TABLE raw.survey_response (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    survey_id TEXT NOT NULL,
    response_id TEXT NOT NULL,
    language TEXT,
    started_at TIMESTAMP WITH TIME ZONE,
    submitted_at TIMESTAMP WITH TIME ZONE,
    is_complete BOOLEAN,
    CONSTRAINT survey_response_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX survey_response_by_key ON raw.survey_response (survey_id, response_id, updated_at);
COMMENT ON TABLE raw.survey_response IS 'Grain: one version of one survey response, as a source told it';
COMMENT ON COLUMN raw.survey_response.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.survey_response.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.survey_response.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.survey_response.is_deleted IS 'The source has it no more';
CREATE TABLE raw.survey_answer (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    survey_id TEXT NOT NULL,
    response_id TEXT NOT NULL,
    question_code TEXT NOT NULL,
    subquestion_code TEXT,
    option_code TEXT,
    number DOUBLE PRECISION,
    text TEXT,
    masked_text TEXT,
    CONSTRAINT survey_answer_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX survey_answer_by_key ON raw.survey_answer (survey_id, response_id, question_code, updated_at);
COMMENT ON TABLE raw.survey_answer IS 'Grain: one version of one survey answer, as a source told it';
COMMENT ON COLUMN raw.survey_answer.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.survey_answer.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.survey_answer.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.survey_answer.is_deleted IS 'The source has it no more';
COMMENT ON COLUMN raw.survey_answer.text IS 'Personal data: never leaves raw';
COMMENT ON COLUMN raw.survey_answer.masked_text IS
    'text without phones, e-mails and numbers of documents; NULL where it has none';
CREATE TABLE raw.broadcast (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    broadcast_id TEXT NOT NULL,
    held_at TIMESTAMP WITH TIME ZONE NOT NULL,
    title TEXT,
    guest_post TEXT,
    authority TEXT,
    municipality_code TEXT,
    municipality TEXT,
    network TEXT,
    url TEXT,
    duration_minutes BIGINT,
    views BIGINT,
    CONSTRAINT broadcast_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX broadcast_by_key ON raw.broadcast (broadcast_id, updated_at);
COMMENT ON TABLE raw.broadcast IS 'Grain: one version of one broadcast, as a source told it';
COMMENT ON COLUMN raw.broadcast.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.broadcast.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.broadcast.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.broadcast.is_deleted IS 'The source has it no more';
CREATE TABLE raw.material (
    batch_id BIGINT NOT NULL,
    row_number BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    row_hash TEXT NOT NULL,
    is_deleted BOOLEAN DEFAULT 'false' NOT NULL,
    material_id TEXT NOT NULL,
    published_at TIMESTAMP WITH TIME ZONE NOT NULL,
    title TEXT,
    topic TEXT,
    authority TEXT,
    network TEXT,
    format TEXT,
    url TEXT,
    views BIGINT,
    CONSTRAINT material_pkey PRIMARY KEY (batch_id, row_number, region_code)
);
CREATE INDEX material_by_key ON raw.material (material_id, updated_at);
COMMENT ON TABLE raw.material IS 'Grain: one version of one material, as a source told it';
COMMENT ON COLUMN raw.material.row_number IS 'Row in the file or answer; a header is row 1';
COMMENT ON COLUMN raw.material.updated_at IS 'Source''s own update time, else the end of the night';
COMMENT ON COLUMN raw.material.row_hash IS 'Of all fields; equal hash means unchanged';
COMMENT ON COLUMN raw.material.is_deleted IS 'The source has it no more';
CREATE TABLE quality.source_field (
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    types TEXT[] NOT NULL,
    is_present BOOLEAN NOT NULL,
    is_regular BOOLEAN NOT NULL,
    seen_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (region_code, source, kind, field)
);
COMMENT ON TABLE quality.source_field IS 'Grain: one field that a source has ever given of one kind of thing';
COMMENT ON COLUMN quality.source_field.kind IS 'What the source calls such a thing: vk.page, a file''s header';
COMMENT ON COLUMN quality.source_field.field IS 'Path of the field, [] for the elements of a list';
COMMENT ON COLUMN quality.source_field.types IS 'JSON types it had when it was last there, null aside';
COMMENT ON COLUMN quality.source_field.is_present IS 'False once it is said to have vanished';
COMMENT ON COLUMN quality.source_field.is_regular IS
    'Whether nearly every such thing had it, when last there';
COMMENT ON COLUMN quality.source_field.seen_at IS 'When it was last there';
CREATE TABLE quality.schema_change (
    schema_change_id BIGINT GENERATED ALWAYS AS IDENTITY,
    batch_id BIGINT NOT NULL,
    region_code TEXT NOT NULL,
    source TEXT NOT NULL,
    kind TEXT NOT NULL,
    field TEXT NOT NULL,
    change TEXT NOT NULL CHECK (change in ('appeared', 'vanished', 'retyped')),
    types_before TEXT[],
    types_after TEXT[],
    noticed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (schema_change_id)
);
COMMENT ON TABLE quality.schema_change IS 'Grain: one change of one field at a source, noticed at a load';
"""

GRANTS = """
grant select, insert on
    raw.authority, raw.page, raw.page_snapshot, raw.survey, raw.survey_question, raw.survey_option,
    raw.survey_response, raw.survey_answer, raw.broadcast, raw.material
to otklik_loader;
grant usage on schema quality to otklik_loader;
grant select, insert, update on quality.source_field to otklik_loader;
grant select, insert on quality.schema_change to otklik_loader;
grant select on all tables in schema raw to otklik_transformer, otklik_publisher, otklik_engineer;
grant select on quality.source_field, quality.schema_change
    to otklik_transformer, otklik_publisher, otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add the tables, and give the incidents' the same form."""
    for script in (INCIDENT, TABLES, GRANTS):
        op.execute(script)
