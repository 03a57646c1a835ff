"""Marts are built beside those that people see, and take their place when they are checked."""

from alembic import op

revision = "0004"
down_revision = "0003"

# What is built has a schema of its own for each layer. Whoever owns them may exchange them: the publisher.
SCHEMAS = """
create schema intermediate_next authorization otklik_publisher;
create schema marts_next authorization otklik_publisher;
alter schema intermediate owner to otklik_publisher;
alter schema marts owner to otklik_publisher;
"""

TABLES = """
CREATE TABLE quality.build (
    build_id UUID NOT NULL,
    started_at TIMESTAMP WITH TIME ZONE NOT NULL,
    finished_at TIMESTAMP WITH TIME ZONE NOT NULL,
    success BOOLEAN NOT NULL,
    is_full_refresh BOOLEAN NOT NULL,
    generation INTEGER NOT NULL,
    batches_after BIGINT,
    batches_through BIGINT,
    otklik_version TEXT NOT NULL,
    PRIMARY KEY (build_id)
);
COMMENT ON TABLE quality.build IS 'Grain: one build of the marts beside those that people see';
COMMENT ON COLUMN quality.build.build_id IS 'dbt''s own number of the run';
COMMENT ON COLUMN quality.build.success IS 'Every model was built and every test of dbt held';
COMMENT ON COLUMN quality.build.is_full_refresh IS 'All of history was built anew';
COMMENT ON COLUMN quality.build.generation IS
    'Rises when history is to be built anew: a side of the marts of an older one is built anew, too';
COMMENT ON COLUMN quality.build.batches_after IS 'It took in the batches after this one';
COMMENT ON COLUMN quality.build.batches_through IS 'through this one';

CREATE TABLE quality.publication (
    publication_id BIGINT GENERATED ALWAYS AS IDENTITY,
    build_id UUID,
    decided_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    published BOOLEAN NOT NULL,
    reason TEXT,
    PRIMARY KEY (publication_id),
    CONSTRAINT publication_reason_given CHECK (published = (reason is null)),
    FOREIGN KEY(build_id) REFERENCES quality.build (build_id)
);
CREATE INDEX ix_quality_publication_build_id ON quality.publication (build_id);
COMMENT ON TABLE quality.publication IS 'Grain: one decision whether a build is what people see';
COMMENT ON COLUMN quality.publication.reason IS
    'Why people still see the build before, in Russian; NULL when it was published';

ALTER TABLE quality.check_run ADD build_id UUID REFERENCES quality.build (build_id);
CREATE INDEX ix_quality_check_run_build_id ON quality.check_run (build_id);
COMMENT ON COLUMN quality.check_run.build_id IS 'The build that was checked';
"""

# Who builds no longer reaches what people see, and who publishes does not read what residents wrote.
GRANTS = """
revoke all on schema intermediate, marts from otklik_transformer;
grant usage, create on schema intermediate_next, marts_next to otklik_transformer;
grant usage on schema intermediate_next, marts_next to otklik_engineer;
revoke usage on schema raw, staging, reference from otklik_publisher;
revoke select on all tables in schema raw from otklik_publisher;
grant insert on quality.build, quality.publication to otklik_publisher;
grant select on quality.build, quality.publication
    to otklik_transformer, otklik_publisher, otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add the schemas beside those people see, and the tables that tell which build that is."""
    for script in (SCHEMAS, TABLES, GRANTS):
        op.execute(script)
