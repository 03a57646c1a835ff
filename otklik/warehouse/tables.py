"""Tables that Otklik itself writes: schema `raw` (what came in) and `quality` (what was checked).

Everything downstream of `raw` belongs to dbt. A change here goes with a migration in `migrations/`.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from otklik.contracts.entities import ENTITIES
from otklik.warehouse.entity_tables import entity_table

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
    Column(
        "rows_deleted",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="Versions written because the source has a row no more; they are none of the rows read",
    ),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("otklik_version", Text, nullable=False),
    Column(
        "known_at",
        Moment,
        nullable=False,
        comment="Nothing in it is later: the end of the night, or when a system answered if that was later",
    ),
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

entities = {name: entity_table(entity, metadata) for name, entity in ENTITIES.items()}

rejected_row = Table(
    "rejected_row",
    metadata,
    Column("rejected_row_id", BigInteger, Identity(always=True), primary_key=True),
    Column("batch_id", BigInteger, ForeignKey("raw.batch.batch_id"), nullable=False, index=True),
    Column("row_number", BigInteger, comment="Row in the file; the header is row 1"),
    Column("reasons", JSONB, nullable=False, comment="[{code, column, value, message}]"),
    Column("original", JSONB, nullable=False, comment="The row as it came: {column: text}"),
    Column("shown_reasons", JSONB, comment="[{code, column, message}], personal data masked; unknown of older rows"),
    Column("shown_row", JSONB, comment="The row, personal data masked or hidden; unknown of older rows"),
    schema="raw",
    comment="Rows that a contract refused, with the reasons and the original content",
)

erased_author = Table(
    "erased_author",
    metadata,
    Column("author_hash", Text, primary_key=True),
    schema="raw",
    comment="Keyed hashes of residents who were erased: what comes of them again is stored without them",
)

erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", BigInteger, Identity(always=True), primary_key=True),
    Column("erased_at", Moment, nullable=False, server_default=func.now()),
    Column("version_count", BigInteger, nullable=False, comment="Versions of messages in raw"),
    Column("rejected_count", BigInteger, nullable=False, comment="Refused rows"),
    Column("file_count", BigInteger, nullable=False, comment="Landed files rewritten"),
    Column("row_count", BigInteger, nullable=False, comment="Rows of the models"),
    Column("otklik_version", Text, nullable=False),
    schema="quality",
    comment="Grain: one resident taken out on request; not who",
)

erased_file = Table(
    "erased_file",
    metadata,
    Column("landed_path", Text, nullable=False),
    Column("sha256_before", Text, nullable=False),
    Column("sha256_after", Text, nullable=False),
    Column("erased_at", Moment, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("landed_path", "sha256_after"),
    schema="quality",
    comment="Grain: one landed file out of which a resident was taken: why it is not what had come",
)

author_key = Table(
    "author_key",
    metadata,
    Column("author_key_id", BigInteger, Identity(always=True), primary_key=True),
    Column(
        "fingerprint",
        Text,
        nullable=False,
        comment="Keyed hash of a name that nobody bears: tells keys apart, not what they are",
    ),
    Column("used_since", Moment, nullable=False, server_default=func.now()),
    schema="quality",
    comment="Grain: one key, or one more key, that authors are hashed by; the newest line is that in use",
)

retention = Table(
    "retention",
    metadata,
    Column("retention_id", BigInteger, Identity(always=True), primary_key=True),
    Column("retired_at", Moment, nullable=False, server_default=func.now()),
    Column("kept_days", Integer, nullable=False, comment="OTKLIK_TEXT_RETENTION_DAYS of then"),
    Column("older_than", Moment, nullable=False, comment="What residents said before was erased"),
    Column("batches_through", BigInteger, nullable=False, comment="The newest batch looked at"),
    Column(
        "message_count",
        BigInteger,
        nullable=False,
        comment="Versions of messages whose text and author were erased",
    ),
    Column("answer_count", BigInteger, nullable=False, comment="Open answers of surveys that were erased"),
    Column("rejected_count", BigInteger, nullable=False, comment="Refused rows whose content was erased"),
    Column("file_count", BigInteger, nullable=False, comment="Landed files that were deleted"),
    schema="quality",
    comment="Grain: one night in which what residents said was looked at for its age",
)

retired_file = Table(
    "retired_file",
    metadata,
    Column("landed_path", Text, primary_key=True),
    Column("content_sha256", Text, nullable=False),
    Column("retired_at", Moment, nullable=False, server_default=func.now()),
    schema="quality",
    comment="Grain: one landed file that was deleted because what residents said in it was too old to be kept",
)

build = Table(
    "build",
    metadata,
    Column("build_id", Uuid, primary_key=True, comment="dbt's own number of the run"),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment, nullable=False),
    Column("success", Boolean, nullable=False, comment="Every model was built and every test of dbt held"),
    Column("is_full_refresh", Boolean, nullable=False, comment="All of history was built anew"),
    Column(
        "generation",
        Integer,
        nullable=False,
        comment="Rises when history is to be built anew: a side of the marts of an older one is built anew, too",
    ),
    Column("batches_after", BigInteger, comment="It took in the batches after this one"),
    Column("batches_through", BigInteger, comment="through this one"),
    Column("otklik_version", Text, nullable=False),
    schema="quality",
    comment="Grain: one build of the marts beside those that people see",
)

publication = Table(
    "publication",
    metadata,
    Column("publication_id", BigInteger, Identity(always=True), primary_key=True),
    Column("build_id", Uuid, ForeignKey("quality.build.build_id"), index=True),
    Column("decided_at", Moment, nullable=False, server_default=func.now()),
    Column("published", Boolean, nullable=False),
    Column("reason", Text, comment="Why people still see the build before, in Russian; NULL when it was published"),
    CheckConstraint("published = (reason is null)", name="publication_reason_given"),
    schema="quality",
    comment="Grain: one decision whether a build is what people see",
)

check_run = Table(
    "check_run",
    metadata,
    Column("run_id", Uuid, primary_key=True),
    Column("build_id", Uuid, ForeignKey("quality.build.build_id"), index=True, comment="The build that was checked"),
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

reconciliation = Table(
    "reconciliation",
    metadata,
    Column("run_id", Uuid, ForeignKey("quality.check_run.run_id"), nullable=False),
    Column("region_code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("entity", Text, nullable=False),
    Column("night", Moment, nullable=False, comment="End of the night or answer the rows came with"),
    Column("landed_count", BigInteger, nullable=False, comment="Rows in what landed"),
    Column("rejected_count", BigInteger, nullable=False, comment="of them refused, each with its reasons"),
    Column("duplicate_count", BigInteger, nullable=False, comment="of them unchanged since an earlier file"),
    Column("raw_count", BigInteger, nullable=False, comment="of them in raw: landed - rejected - duplicate"),
    Column("gone_count", BigInteger, nullable=False, comment="Versions in raw that say a row is there no more"),
    Column("staging_count", BigInteger, nullable=False, comment="Versions in staging: raw + gone"),
    Column("superseded_count", BigInteger, comment="of them with a later version"),
    Column("withdrawn_count", BigInteger, comment="of them the latest, which says the row is there no more"),
    Column("mart_count", BigInteger, comment="of them in the mart: staging - superseded - withdrawn"),
    Column("incident_count", BigInteger, comment="Incidents whose state they tell"),
    Column("answered_count", BigInteger, comment="of them answered, by their events"),
    Column("not_answered_count", BigInteger, comment="of them not yet answered: incidents - answered"),
    Column("unexplained_count", BigInteger, nullable=False, comment="Rows that none of these explains"),
    PrimaryKeyConstraint("run_id", "region_code", "source", "entity", "night"),
    schema="quality",
    comment="Grain: one night of one entity as a run counted it from file to mart; NULL where there is no such step",
)

dbt_result = Table(
    "dbt_result",
    metadata,
    Column("build_id", Uuid, ForeignKey("quality.build.build_id"), nullable=False),
    Column("name", Text, nullable=False, comment="Of the model, seed or test"),
    Column("kind", Text, nullable=False, comment="model, seed or test"),
    Column("model", Text, comment="The model that a test is of"),
    Column("status", Text, nullable=False, comment="As dbt says it: success, pass, warn, fail, error, skipped"),
    Column("failures", BigInteger, comment="Rows that a test found"),
    Column("row_count", BigInteger, comment="Rows that a model wrote"),
    Column("seconds", Float, nullable=False),
    PrimaryKeyConstraint("build_id", "name"),
    schema="quality",
    comment="Grain: one model, seed or test of one build",
)

freshness = Table(
    "freshness",
    metadata,
    Column("checked_at", Moment, nullable=False),
    Column("source", Text, nullable=False, comment="Table of raw"),
    Column("latest_at", Moment, comment="When its newest rows were loaded; unknown without any"),
    Column("status", Text, nullable=False, comment="As dbt says it: pass, warn, error"),
    PrimaryKeyConstraint("checked_at", "source"),
    schema="quality",
    comment="Grain: one table of raw whose age was looked at",
)

figure = Table(
    "figure",
    metadata,
    Column("region_code", Text, nullable=False),
    Column("period_kind", Text, CheckConstraint("period_kind in ('year', 'month')"), nullable=False),
    Column("period_start", Date, nullable=False),
    Column("scope", Text, CheckConstraint("scope in ('region', 'authority')"), nullable=False),
    Column("authority", Text, nullable=False, comment="Empty: the whole region, or in scope authority unknown"),
    Column("metric", Text, nullable=False),
    Column("value", Numeric, comment="NULL: unknown, or the figure was there no more"),
    Column("since", BigInteger, ForeignKey("quality.publication.publication_id"), nullable=False),
    Column("until", BigInteger, ForeignKey("quality.publication.publication_id"), comment="NULL: it is what is shown"),
    PrimaryKeyConstraint("region_code", "metric", "period_kind", "period_start", "scope", "authority", "since"),
    schema="quality",
    comment="Grain: one figure from the publication that first showed this value to the one that showed another",
)

night = Table(
    "night",
    metadata,
    Column("region_code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("night", Moment, nullable=False, comment="End of the local day"),
    Column(
        "file_count", Integer, nullable=False, comment="Files of incidents that the source brought; 0: it is silent"
    ),
    Column("noted_at", Moment, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("region_code", "source", "night"),
    schema="quality",
    comment="Grain: one night of a source of incidents, also one that brought nothing",
)

source_field = Table(
    "source_field",
    metadata,
    Column("region_code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="What the source calls such a thing: vk.page, a file's header"),
    Column("field", Text, nullable=False, comment="Path of the field, [] for the elements of a list"),
    Column("types", ARRAY(Text), nullable=False, comment="JSON types it had when it was last there, null aside"),
    Column("is_present", Boolean, nullable=False, comment="False once it is said to have vanished"),
    Column("is_regular", Boolean, nullable=False, comment="Whether nearly every such thing had it, when last there"),
    Column("seen_at", Moment, nullable=False, comment="When it was last there"),
    PrimaryKeyConstraint("region_code", "source", "kind", "field"),
    schema="quality",
    comment="Grain: one field that a source has ever given of one kind of thing",
)

schema_change = Table(
    "schema_change",
    metadata,
    Column("schema_change_id", BigInteger, Identity(always=True), primary_key=True),
    Column("batch_id", BigInteger, nullable=False),
    Column("region_code", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("change", Text, CheckConstraint("change in ('appeared', 'vanished', 'retyped')"), nullable=False),
    Column("types_before", ARRAY(Text)),
    Column("types_after", ARRAY(Text)),
    Column("noticed_at", Moment, nullable=False, server_default=func.now()),
    schema="quality",
    comment="Grain: one change of one field at a source, noticed at a load",
)

told = Table(
    "told",
    metadata,
    Column("way", Text, CheckConstraint("way in ('mail', 'webhook')"), nullable=False),
    Column(
        "kind",
        Text,
        CheckConstraint("kind in ('early_warning', 'night_not_published', 'failed_run', 'late_night')"),
        nullable=False,
    ),
    Column(
        "what", Text, nullable=False, comment="What makes it the same news: region, day, topic and place, night or run"
    ),
    Column("told_at", Moment, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("way", "kind", "what"),
    schema="quality",
    comment="Grain: one piece of news by one way: people are told of it once",
)
