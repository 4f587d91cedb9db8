"""The tables. Migrations make them; this is what queries are written against.

A dataset points to its *live* record set. Records belong to a set, never to a dataset directly, so
that replacing all records (fill a staging set, then move the pointer), deleting them (move rows to
a trash set) and undoing either are small transactions however many records there are.
"""

from __future__ import annotations

import sqlalchemy as sa

HEAD = "0006"
"""Version of the newest migration."""

metadata = sa.MetaData()

# SQLite takes only INTEGER for a key that is the row id.
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

datasets = sa.Table(
    "datasets",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("objective", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("set_id", _KEY, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    # Changes of the records and of their topics alone: what was computed from them is kept by it.
    sa.Column("records_revision", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("topics", sa.Text),  # the hierarchy as JSON
    sa.Column("targets", sa.Text),  # of coverage, as JSON
    sa.Column("grader_version", sa.Integer),  # the one in use
    sa.Column("reset_us", sa.BigInteger),  # runs that began before it are history
)

record_sets = sa.Table(
    "record_sets",
    metadata,
    sa.Column("id", _KEY, primary_key=True, autoincrement=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),  # live, staging, trash
    sa.Column("dictionary_id", sa.BigInteger),
    sa.Column("indexed_seq", sa.BigInteger, nullable=False, server_default="0"),
    # Rows that the search index still has but the set no longer: without any, the index can count.
    sa.Column("departed", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,  # names of search tables hold the id: it is never given twice
)
sa.Index("record_sets_dataset", record_sets.c.dataset_id)

records = sa.Table(
    "records",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=False),
    sa.Column("set_id", _KEY, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("span_id", sa.Text),
    sa.Column("thread_id", sa.Text),
    sa.Column("topic", sa.Text),
    sa.Column("topic_confidence", sa.Float(53)),
    sa.Column("topic_method", sa.Text),
    sa.Column("is_valid", sa.SmallInteger, nullable=False),
    sa.Column("is_generated", sa.SmallInteger, nullable=False),
    sa.Column("source_record_id", sa.Text),
    sa.Column("messages", sa.Integer, nullable=False),
    sa.Column("tokens", sa.Integer, nullable=False),
    sa.Column("input_hash", sa.BigInteger, nullable=False),
    sa.Column("score", sa.Float(53)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("runner_up", sa.Text),  # the next likely topic, where somebody should look
    sa.Column("previous_topic", sa.Text),  # what it was under when that topic vanished
)
_r = records.c
sa.Index("records_id", _r.set_id, _r.id, unique=True)
sa.Index("records_position", _r.set_id, _r.seq)
sa.Index("records_hash", _r.set_id, _r.input_hash)
sa.Index("records_facets", _r.set_id, _r.topic, _r.is_valid, _r.is_generated)
sa.Index("records_updated", _r.set_id, _r.updated_us)


def _partial(name: str, where: str, *columns: sa.Column[object]) -> sa.Index:
    condition = sa.text(where)
    return sa.Index(name, *columns, sqlite_where=condition, postgresql_where=condition)


# Few records have these; the indexes hold those few only and cost an import next to nothing.
_partial("records_span", "span_id IS NOT NULL", _r.set_id, _r.span_id)
_partial("records_score", "score IS NOT NULL", _r.set_id, _r.score)
_partial("records_invalid", "is_valid = 0", _r.set_id, _r.seq, _r.is_valid)
_partial("records_generated", "is_generated = 1", _r.set_id, _r.seq, _r.is_generated)

payloads = sa.Table(
    "payloads",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

dictionaries = sa.Table(
    "dictionaries",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True,
              autoincrement=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)  # fmt: skip

issues = sa.Table(
    "issues",
    metadata,
    sa.Column("id", _KEY, primary_key=True, autoincrement=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("seq", _KEY),  # the record, or nothing for a line that was refused
    sa.Column("import_id", sa.Text),
    sa.Column("line", sa.BigInteger),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)
sa.Index("issues_record", issues.c.seq, issues.c.code)
_partial("issues_refused", "seq IS NULL", issues.c.import_id, issues.c.line)

imports = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("set_id", _KEY, nullable=False),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # running, done
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("fingerprint", sa.Text),
    sa.Column("byte_offset", sa.BigInteger, nullable=False),
    sa.Column("lines", sa.BigInteger, nullable=False),
    sa.Column("blank", sa.BigInteger, nullable=False),
    sa.Column("imported", sa.BigInteger, nullable=False),
    sa.Column("valid", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("warnings", sa.Text, nullable=False),
    sa.Column("recorded", sa.Text),  # first and last time that its records tell, as JSON
    sa.Column("started_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
)
sa.Index("imports_dataset", imports.c.dataset_id)

deletions = sa.Table(
    "deletions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("set_id", _KEY, nullable=False),  # where the records were
    sa.Column("trash_id", _KEY, nullable=False),  # where they are
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("deleted_us", sa.BigInteger, nullable=False),
)
sa.Index("deletions_dataset", deletions.c.dataset_id)

record_versions = sa.Table(
    "record_versions",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("replaced_us", sa.BigInteger, nullable=False),
)

events = sa.Table(
    "events",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("events_dataset", events.c.dataset_id, events.c.seq)

counters = sa.Table(
    "counters",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.BigInteger, nullable=False),
)

search_texts = sa.Table(
    # PostgreSQL only: SQLite keeps one full-text table a record set instead.
    "search_texts",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=False),
    sa.Column("text", sa.Text, nullable=False),
)

grader_versions = sa.Table(
    "grader_versions",
    metadata,
    sa.Column("dataset_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("grader", sa.Text, nullable=False),
    sa.Column("connection", sa.Text),  # where its model is asked, without any key
    sa.Column("created_us", sa.BigInteger, nullable=False),
)

dry_runs = sa.Table(
    "dry_runs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # running, done
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("inputs", sa.Text, nullable=False),  # hashes of data, topics and grader
    sa.Column("report", sa.Text),
    sa.Column("started_us", sa.BigInteger, nullable=False),
    sa.Column("finished_us", sa.BigInteger),
)
sa.Index("dry_runs_dataset", dry_runs.c.dataset_id, dry_runs.c.started_us)

dry_run_answers = sa.Table(
    "dry_run_answers",
    metadata,
    sa.Column("run_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.Text, nullable=False),
)

training_jobs = sa.Table(
    "training_jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("requested", sa.Text, nullable=False),  # pause, cancel, or nothing
    sa.Column("owner", sa.Text, nullable=False),  # who works on it; another one has taken it over
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("inputs", sa.Text, nullable=False),
    sa.Column("split", sa.LargeBinary, nullable=False),
    sa.Column("progress", sa.Text),
    sa.Column("state", sa.LargeBinary),  # what the trainer needs to go on
    sa.Column("report", sa.Text),
    sa.Column("artifact", sa.LargeBinary),  # the policy
    sa.Column("served_step", sa.Integer),  # the checkpoint that somebody chose
    sa.Column("error", sa.Text),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("finished_us", sa.BigInteger),
)
sa.Index("training_jobs_dataset", training_jobs.c.dataset_id, training_jobs.c.created_us)

training_checkpoints = sa.Table(
    "training_checkpoints",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.Text, nullable=False),
)

training_rollouts = sa.Table(
    "training_rollouts",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("data", sa.Text, nullable=False),
)

training_documents = sa.Table(
    "training_documents",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("data", sa.Text, nullable=False),
)

training_log = sa.Table(
    "training_log",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("training_log_job", training_log.c.job_id, training_log.c.seq)

deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # active, rolled_back
    sa.Column("config", sa.Text, nullable=False),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("rolled_back_us", sa.BigInteger),
)
sa.Index("deployments_dataset", deployments.c.dataset_id, deployments.c.created_us)

exchanges = sa.Table(
    # What a deployment was asked and answered: counts of its arms, and the outcome of a test.
    "exchanges",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=True),
    sa.Column("deployment_id", sa.Text, nullable=False),
    sa.Column("arm", sa.Text, nullable=False),
    sa.Column("failed", sa.SmallInteger, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("duration_us", sa.BigInteger, nullable=False),
    sa.Column("data", sa.LargeBinary),
    sqlite_autoincrement=True,
)
sa.Index(
    "exchanges_arm",
    exchanges.c.deployment_id,
    exchanges.c.arm,
    exchanges.c.failed,
    exchanges.c.duration_us,
)

activities = sa.Table(
    # A step at work: one row while it lasts, told anew several times a minute.
    "activities",
    metadata,
    sa.Column("dataset_id", sa.Text, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("share", sa.Float(53)),
    sa.Column("doing", sa.Text, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("job_id", sa.Text),  # that does it
)

jobs = sa.Table(
    # Long work that any process may ask for, watch and stop; one process at a time does it.
    "jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset_id", sa.Text),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column(
        "subject", sa.Text, nullable=False, server_default=sa.text("''")
    ),  # what within the dataset
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("params", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),  # queued, running, succeeded, failed, cancelled
    sa.Column("wanted", sa.Text, nullable=False, server_default=sa.text("''")),  # cancel
    sa.Column(
        "owner", sa.Text, nullable=False, server_default=sa.text("''")
    ),  # who is at work on it
    sa.Column("beat_us", sa.BigInteger),  # when that was heard of last
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("share", sa.Float(53)),
    sa.Column("doing", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("outcome", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("problem", sa.Text),
    sa.Column("result", sa.Text),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("started_us", sa.BigInteger),
    sa.Column("finished_us", sa.BigInteger),
)
sa.Index("jobs_dataset", jobs.c.dataset_id, jobs.c.created_us)
sa.Index("jobs_status", jobs.c.status, jobs.c.created_us)

job_log = sa.Table(
    "job_log",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=True),
    sa.Column("job_id", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)
sa.Index("job_log_job", job_log.c.job_id, job_log.c.seq)

job_items = sa.Table(
    # Pieces that a job has done, while it may have to be begun again.
    "job_items",
    metadata,
    sa.Column("job_id", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("data", sa.Text, nullable=False),
)

served = sa.Table(
    # A deployment that the worker is asked to serve, who does it, and where.
    "served",
    metadata,
    sa.Column("deployment_id", sa.Text, primary_key=True),
    sa.Column("wanted", sa.SmallInteger, nullable=False),
    sa.Column("asked_us", sa.BigInteger, nullable=False),  # tells one wish from the next
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("asked_port", sa.Integer, nullable=False),
    sa.Column("port", sa.Integer, nullable=False),  # the one that it has or had last
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("ready_us", sa.BigInteger),
    sa.Column("beat_us", sa.BigInteger),
    sa.Column("said", sa.Text, nullable=False),  # why it is not served, or what is different
)

connections = sa.Table(
    # Models that may be asked, by name; never a key.
    "connections",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("test", sa.Text),  # what it was last seen to do
    sa.Column("updated_us", sa.BigInteger, nullable=False),
)

model_calls = sa.Table(
    # Every request to a model, written before it is sent: cache and resume at once.
    "model_calls",
    metadata,
    sa.Column("dataset_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # hash of the request and its repeat
    sa.Column("state", sa.Text, nullable=False),  # queued, sent, done, failed, held
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("owner", sa.Text, nullable=False),  # the client that sent it last
    sa.Column("request", sa.LargeBinary, nullable=False),
    sa.Column("answer", sa.LargeBinary),  # as it came
    sa.Column("prompt_tokens", sa.BigInteger),
    sa.Column("completion_tokens", sa.BigInteger),
    sa.Column("cost_micro_usd", sa.BigInteger),
    sa.Column("reserved_micro_usd", sa.BigInteger),  # most that one request was thought to cost
    sa.Column("error", sa.Text),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    # requests whose answer nobody saw
    sa.Column("lost", sa.Integer, nullable=False, server_default="0"),
    sa.Column("sent_us", sa.BigInteger, nullable=False),
    sa.Column("done_us", sa.BigInteger),
)
sa.Index("model_calls_job", model_calls.c.job_id, model_calls.c.state)

model_works = sa.Table(
    # What each piece of work asked of a model, beside what was planned.
    "model_works",
    metadata,
    sa.Column("seq", _KEY, primary_key=True, autoincrement=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("job_id", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("is_whole", sa.SmallInteger, nullable=False),  # it came to its end
    sa.Column("seconds", sa.Float(53), nullable=False),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("cached", sa.BigInteger, nullable=False),
    sa.Column("tokens", sa.BigInteger, nullable=False),  # of cached answers too
    sa.Column("cost_micro_usd", sa.BigInteger),  # so is this
    sa.Column("planned_tokens", sa.BigInteger),
    sa.Column("planned_micro_usd", sa.BigInteger),
    sqlite_autoincrement=True,
)
sa.Index("model_works_dataset", model_works.c.dataset_id, model_works.c.purpose)

model_notes = sa.Table(
    # What a model said of a piece of content: vectors of texts, topics of records.
    "model_notes",
    metadata,
    sa.Column("dataset_id", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),  # hash of the model, what was asked, the content
    sa.Column("data", sa.LargeBinary, nullable=False),
)

generation_batches = sa.Table(
    # Records that were asked of a model, on their way to a person's decision.
    "generation_batches",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("dataset_id", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),  # within the dataset, from 1
    sa.Column("status", sa.Text, nullable=False),  # running, stopped, done
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),  # the connection, without any key
    sa.Column("job_id", sa.Text),
    sa.Column("fill", sa.Text, nullable=False),  # what is or was asked for last
    sa.Column("diversity", sa.Float(53)),
    sa.Column("recorded_diversity", sa.Float(53)),
    sa.Column("created_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
)
sa.Index("generation_batches_dataset", generation_batches.c.dataset_id)

candidates = sa.Table(
    "candidates",
    metadata,
    sa.Column("batch_id", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("round", sa.Integer, nullable=False),
    sa.Column("request", sa.Integer, nullable=False),  # within the topic, from 0
    sa.Column("state", sa.Text, nullable=False),  # open, accepted, discarded, regenerated
    sa.Column(
        "fault", sa.Text, nullable=False, server_default=sa.text("''")
    ),  # why not, or nothing
    sa.Column("data", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text),  # what it became
)

human_labels = sa.Table(
    # What people say of recorded answers, without seeing what a grader says.
    "human_labels",
    metadata,
    sa.Column("dataset_id", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("labeller", sa.Text, primary_key=True),
    sa.Column("answer_hash", sa.Text, nullable=False),  # what was labelled: an edit makes it stale
    sa.Column("value", sa.Float(53), nullable=False),  # 0..1
    sa.Column("scale", sa.Text, nullable=False),  # pass_fail, five
    sa.Column("note", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("at_us", sa.BigInteger, nullable=False),
)
