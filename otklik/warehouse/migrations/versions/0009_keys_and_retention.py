"""By which keys authors are hashed, what residents said that was too old to be kept, and who may read it."""

from alembic import op

revision = "0009"
down_revision = "0008"

TABLES = """
CREATE TABLE quality.author_key (
    author_key_id BIGINT GENERATED ALWAYS AS IDENTITY,
    fingerprint TEXT NOT NULL,
    used_since TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (author_key_id)
);
COMMENT ON TABLE quality.author_key IS
    'Grain: one key, or one more key, that authors are hashed by; the newest line is that in use';
COMMENT ON COLUMN quality.author_key.fingerprint IS
    'Keyed hash of a name that nobody bears: tells keys apart, not what they are';

CREATE TABLE quality.retention (
    retention_id BIGINT GENERATED ALWAYS AS IDENTITY,
    retired_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    kept_days INTEGER NOT NULL,
    older_than TIMESTAMP WITH TIME ZONE NOT NULL,
    batches_through BIGINT NOT NULL,
    message_count BIGINT NOT NULL,
    answer_count BIGINT NOT NULL,
    rejected_count BIGINT NOT NULL,
    file_count BIGINT NOT NULL,
    PRIMARY KEY (retention_id)
);
COMMENT ON TABLE quality.retention IS 'Grain: one night in which what residents said was looked at for its age';
COMMENT ON COLUMN quality.retention.kept_days IS 'OTKLIK_TEXT_RETENTION_DAYS of then';
COMMENT ON COLUMN quality.retention.older_than IS 'What residents said before was erased';
COMMENT ON COLUMN quality.retention.batches_through IS 'The newest batch looked at';
COMMENT ON COLUMN quality.retention.message_count IS 'Versions of messages whose text and author were erased';
COMMENT ON COLUMN quality.retention.answer_count IS 'Open answers of surveys that were erased';
COMMENT ON COLUMN quality.retention.rejected_count IS 'Refused rows whose content was erased';
COMMENT ON COLUMN quality.retention.file_count IS 'Landed files that were deleted';

CREATE TABLE quality.retired_file (
    landed_path TEXT NOT NULL,
    content_sha256 TEXT NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (landed_path)
);
COMMENT ON TABLE quality.retired_file IS
    'Grain: one landed file that was deleted because what residents said in it was too old to be kept';

CREATE INDEX incident_by_received_at ON raw.incident
    USING brin (received_at) WITH (pages_per_range = 32, autosummarize = on);

ALTER TABLE raw.survey_answer ADD COLUMN has_text BOOLEAN GENERATED ALWAYS AS (text is not null) STORED;
COMMENT ON COLUMN raw.survey_answer.has_text IS 'Whether there is one, for the models';
"""

# The models need nothing that a resident said: of these tables they read every other column.
UNSAID = """
revoke select on raw.incident, raw.survey_answer, raw.rejected_row from otklik_transformer;
do $$
declare
    told record;
begin
    for told in
        select table_name, string_agg(quote_ident(column_name), ', ') as columns
        from information_schema.columns
        where
            table_schema = 'raw'
            and table_name in ('incident', 'survey_answer')
            and column_name not in (
                'author_id', 'author_name', 'author_url', 'message_url', 'message_text', 'text', 'masked_text'
            )
        group by table_name
    loop
        execute format('grant select (%s) on raw.%I to otklik_transformer', told.columns, told.table_name);
    end loop;
end $$;
"""

GRANTS = """
grant select, insert on quality.author_key to otklik_loader;
grant select, insert on quality.erased_file to otklik_loader;
grant select on quality.retired_file to otklik_loader;
grant select on quality.author_key, quality.retention, quality.retired_file
    to otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add the tables, and close to the models what residents said."""
    for script in (TABLES, UNSAID, GRANTS):
        op.execute(script)
