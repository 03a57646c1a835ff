"""Residents taken out on request: that it was done, and that they do not come back."""

from alembic import op

revision = "0008"
down_revision = "0007"

TABLES = """
CREATE TABLE raw.erased_author (
    author_hash TEXT NOT NULL,
    PRIMARY KEY (author_hash)
);
COMMENT ON TABLE raw.erased_author IS
    'Keyed hashes of residents who were erased: what comes of them again is stored without them';

CREATE TABLE quality.erasure (
    erasure_id BIGINT GENERATED ALWAYS AS IDENTITY,
    erased_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    version_count BIGINT NOT NULL,
    rejected_count BIGINT NOT NULL,
    file_count BIGINT NOT NULL,
    row_count BIGINT NOT NULL,
    otklik_version TEXT NOT NULL,
    PRIMARY KEY (erasure_id)
);
COMMENT ON TABLE quality.erasure IS 'Grain: one resident taken out on request; not who';
COMMENT ON COLUMN quality.erasure.version_count IS 'Versions of messages in raw';
COMMENT ON COLUMN quality.erasure.rejected_count IS 'Refused rows';
COMMENT ON COLUMN quality.erasure.file_count IS 'Landed files rewritten';
COMMENT ON COLUMN quality.erasure.row_count IS 'Rows of the models';

CREATE TABLE quality.erased_file (
    landed_path TEXT NOT NULL,
    sha256_before TEXT NOT NULL,
    sha256_after TEXT NOT NULL,
    erased_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
    PRIMARY KEY (landed_path, sha256_after)
);
COMMENT ON TABLE quality.erased_file IS
    'Grain: one landed file out of which a resident was taken: why it is not what had come';
"""

GRANTS = """
grant select on raw.erased_author to otklik_loader, otklik_engineer;
grant select on quality.erasure, quality.erased_file to otklik_analyst, otklik_auditor, otklik_engineer;
"""


def upgrade() -> None:
    """Add the tables."""
    for script in (TABLES, GRANTS):
        op.execute(script)
