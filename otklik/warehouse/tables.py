"""Tables that Otklik itself writes: schema `raw` (what came in) and `quality` (what was checked).

Everything downstream of `raw` belongs to dbt. A change here goes with a migration in `migrations/`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

Moment = DateTime(timezone=True)

region = Table(
    "region",
    metadata,
    Column("region_code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("time_zone", Text, nullable=False, comment="IANA zone in which the region counts its days"),
    Column("updated_at", Moment, nullable=False, server_default=func.now()),
    schema="raw",
    comment="Regions whose data the warehouse holds, as their mappings name them",
)

batch = Table(
    "batch",
    metadata,
    # Assigned under LEDGER_LOCK (see ledger.py), so ids become visible in order:
    # `batch_id > the greatest one seen` never skips a batch that commits late.
    Column("batch_id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("region_code", Text, ForeignKey("raw.region.region_code"), nullable=False),
    Column("interval_from", Moment, nullable=False),
    Column("interval_to", Moment, nullable=False),
    Column("file_name", Text, nullable=False),
    Column("landed_path", Text, nullable=False),
    Column("content_sha256", Text, nullable=False),
    Column("mapping_sha256", Text, nullable=False),
    Column("file_bytes", BigInteger),
    Column("status", Text, CheckConstraint("status in ('loaded', 'failed')"), nullable=False),
    Column("error", Text),
    Column("rows_read", BigInteger, nullable=False, server_default="0"),
    Column("rows_loaded", BigInteger, nullable=False, server_default="0"),
    Column("rows_rejected", BigInteger, nullable=False, server_default="0"),
    Column("rows_unchanged", BigInteger, nullable=False, server_default="0"),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("otklik_version", Text, nullable=False),
    CheckConstraint("rows_read = rows_loaded + rows_rejected + rows_unchanged", name="batch_every_row_accounted_for"),
    CheckConstraint("interval_from < interval_to", name="batch_interval_not_empty"),
    # One line per content and mapping and outcome: the second load of a file finds the first.
    Index(
        "batch_once",
        "source",
        "entity",
        "file_name",
        "content_sha256",
        "mapping_sha256",
        "status",
        unique=True,
    ),
    schema="raw",
    comment="Ledger: one line for each file read (each member of a zip), loaded or failed",
)

incident = Table(
    "incident",
    metadata,
    # No foreign key to the ledger: it would cost a check a row on the one table loaded by the million;
    # both are written in one transaction, and a checkpoint compares them every night.
    Column("batch_id", BigInteger, nullable=False),
    Column("row_number", BigInteger, nullable=False, comment="Row in the file; the header is row 1"),
    Column("region_code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("updated_at", Moment, nullable=False, comment="Source's own update time, else the end of the night"),
    Column("row_hash", Text, nullable=False, comment="Of all mapped fields; equal hash means unchanged"),
    Column("status", Text, nullable=False),
    Column("channel", Text),
    Column("priority", Text),
    Column("topic", Text),
    Column("subtopic", Text),
    Column("municipality_code", Text),
    Column("municipality", Text),
    Column("authority", Text),
    Column("received_at", Moment, nullable=False),
    Column("registered_at", Moment),
    Column("assigned_at", Moment),
    Column("first_response_at", Moment),
    Column("interim_at", Moment),
    Column("resolved_at", Moment),
    Column("closed_at", Moment),
    Column("reopened_at", Moment),
    Column("due_at", Moment),
    Column("reopened_count", Integer),
    Column("author_id", Text, comment="Personal data: never leaves raw"),
    Column("author_name", Text, comment="Personal data: never leaves raw"),
    Column("author_url", Text, comment="Personal data: never leaves raw"),
    Column("message_url", Text, comment="Personal data: never leaves raw"),
    Column("message_text", Text, comment="Personal data: never leaves raw"),
    Column("author_hash", Text, comment="HMAC-SHA-256 of the author, hex; NULL where the author is unknown"),
    PrimaryKeyConstraint("region_code", "source", "message_id", "updated_at", "batch_id", "row_number"),
    Index("incident_by_incident", "region_code", "source", "incident_id"),
    Index("incident_by_batch", "batch_id", postgresql_using="brin"),
    schema="raw",
    comment="Grain: one version of one message with the state of its incident, as a file told it",
)

rejected_row = Table(
    "rejected_row",
    metadata,
    Column("rejected_row_id", BigInteger, Identity(always=True), primary_key=True),
    Column("batch_id", BigInteger, ForeignKey("raw.batch.batch_id"), nullable=False, index=True),
    Column("row_number", BigInteger, comment="Row in the file; the header is row 1"),
    Column("reasons", JSONB, nullable=False, comment="[{code, column, value, message}]"),
    Column("original", JSONB, nullable=False, comment="The row as it came: {column: text}"),
    schema="raw",
    comment="Rows that a contract refused, with the reasons and the original content",
)

check_run = Table(
    "check_run",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("suite", Text, nullable=False),
    Column("region_code", Text),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("success", Boolean, nullable=False, comment="No critical expectation failed"),
    Column("evaluated", Integer, nullable=False),
    Column("failed_critical", Integer, nullable=False),
    Column("failed_warning", Integer, nullable=False),
    schema="quality",
    comment="One line for each run of a suite of checks",
)

check_result = Table(
    "check_result",
    metadata,
    Column("check_result_id", BigInteger, Identity(always=True), primary_key=True),
    Column("run_id", Uuid, ForeignKey("quality.check_run.run_id"), nullable=False, index=True),
    Column("expectation", Text, nullable=False),
    Column("column", Text),
    Column("severity", Text, CheckConstraint("severity in ('critical', 'warning')"), nullable=False),
    Column("success", Boolean, nullable=False),
    Column("observed", Text),
    Column("protects", Text, nullable=False, comment="What the check guards, in Russian"),
    schema="quality",
    comment="One line for each expectation of a run",
)
