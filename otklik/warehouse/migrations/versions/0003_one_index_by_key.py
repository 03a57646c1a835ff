"""One B-tree for each entity: it finds a key's versions, and a row of a batch is in it once."""

from alembic import op

revision = "0003"
down_revision = "0002"

# Table -> its index by key: what a look-up compares, then what makes it one row of a batch.
INDEXES = {
    "incident": "message_id, updated_at, batch_id, row_number, region_code",
    "authority": "authority_id, updated_at, batch_id, row_number, valid_from, region_code",
    "page": "page_id, updated_at, batch_id, row_number, valid_from, region_code",
    "page_snapshot": "page_id, method, observed_at, updated_at, batch_id, row_number, region_code",
    "survey": "survey_id, updated_at, batch_id, row_number, region_code",
    "survey_question":
        "survey_id, question_code, language, updated_at, batch_id, row_number, subquestion_code, region_code",
    "survey_option": "survey_id, question_code, option_code, language, updated_at, batch_id, row_number, region_code",
    "survey_response": "survey_id, response_id, updated_at, batch_id, row_number, region_code",
    "survey_answer":
        "survey_id, response_id, question_code, updated_at, batch_id, row_number, subquestion_code, option_code,"
        " region_code",
    "broadcast": "broadcast_id, updated_at, batch_id, row_number, region_code",
    "material": "material_id, updated_at, batch_id, row_number, region_code",
}  # fmt: skip


def upgrade() -> None:
    """Put one unique index in the place of two, and BRIN for what is asked by batch."""
    for table, columns in INDEXES.items():
        op.execute(f"""
            alter table raw.{table} drop constraint {table}_pkey;
            drop index raw.{table}_by_key;
            create unique index {table}_by_key on raw.{table} ({columns}) nulls not distinct;
            create index {table}_by_batch on raw.{table}
                using brin (batch_id) with (pages_per_range = 32, autosummarize = on);
        """)
