"""Whole answers, kept until what they say may have changed, and asked again after a night before a reader does.

Superset's own cache keeps what the database answered; making the answer out of it costs five times the query, and so
does what a dashboard is made of. Kept are the answers themselves, in a table beside Superset's own, under

- the question (``questions.py``);
- the roles of the reader: rights and row rules hang on roles, so readers of the same roles see the same. Superset has
  answered a reader of these very roles before anything is kept, and the login of every reader is its own to check;
- the night: what ``marts.mart_as_of`` tells, which no publication and no check leaves as it was;
- the generation: a number that grows, in the same transaction, with every change of datasets, row rules, roles and
  dashboards.

Night and generation are looked up for every request, and again before an answer is kept: one that was made while they
changed belongs to neither. Kept are only answers from datasets and dashboards that come from files and read as
``otklik_reader``, which has the marts and nothing else.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from time import monotonic
from typing import Any

from flask import Flask, Response, after_this_request, g, jsonify, request
from flask_jwt_extended import verify_jwt_in_request
from flask_login import current_user
from questions import chart_question, page_question
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.engine.url import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.orm import Session

READER = "otklik_reader"
HEADER = "X-Otklik-Kept"
CHART_DATA = "ChartDataRestApi.data"
PAGES = {"DashboardRestApi.get", "DashboardRestApi.get_charts", "DashboardRestApi.get_datasets"}

_OK = 200
_LOG = logging.getLogger(__name__)
_CONNECTIONS = 8
# A question is asked again after every night for so many days since a reader asked it last, the most usual first.
_DAYS = 30
_QUESTIONS = 2_000
# So long takes one call of the warming, seconds, and so many questions are under way at a time.
_SLICE = 20
_AT_A_TIME = 2

_TABLES = """
create table if not exists otklik_generation (generation bigint not null);
insert into otklik_generation select 1 where not exists (select from otklik_generation);
create table if not exists otklik_answer (
    question text, roles text, night text not null, generation bigint not null,
    path text not null, body text not null, user_id integer not null,
    asked_on date not null default current_date, days_asked integer not null default 1,
    content_type text not null, answer bytea not null,
    primary key (question, roles)
);
"""

# The roles a reader has, and those they have by a group, in the order of their numbers, and what is kept for readers of
# these roles. Superset's own objects would ask for the roles one by one.
_FIND = text("""
with had as (
    select role_id from ab_user_role where user_id = :user_id
    union
    select role_id from ab_user_group inner join ab_group_role using (group_id) where user_id = :user_id
),

reader as (
    select coalesce(string_agg(role_id::text, ',' order by role_id), '') as roles
    from had
)

select
    reader.roles, otklik_generation.generation, answer, content_type, asked_on < current_date as first_today
from reader
cross join otklik_generation
left join otklik_answer
    on otklik_answer.generation = otklik_generation.generation
    and otklik_answer.roles = reader.roles and question = :question and night = :night
""")

_NIGHT = text("select md5(string_agg(told::text, chr(10) order by told::text)) from marts.mart_as_of as told")

_ASKED_TODAY = text("""
update otklik_answer set asked_on = current_date, days_asked = days_asked + 1
where question = :question and roles = :roles and asked_on < current_date
""")

# Asked by the warming, a question is not asked by a reader.
_KEEP = text("""
insert into otklik_answer as kept
    (question, roles, night, generation, path, body, user_id, content_type, answer)
select :question, :roles, :night, generation, :path, :body, :user_id, :content_type, :answer
from otklik_generation where generation = :generation
on conflict (question, roles) do update set
    night = excluded.night, generation = excluded.generation, path = excluded.path, body = excluded.body,
    user_id = excluded.user_id, content_type = excluded.content_type, answer = excluded.answer,
    asked_on = case when :warming then kept.asked_on else current_date end,
    days_asked = kept.days_asked + case when not :warming and kept.asked_on < current_date then 1 else 0 end
""")

_USUAL_FIRST = "row_number() over (order by days_asked desc, asked_on desc, question, roles)"

_PURGE = text(f"""
delete from otklik_answer using (select question, roles, {_USUAL_FIRST} as place from otklik_answer) as ranked
where
    (otklik_answer.question, otklik_answer.roles) = (ranked.question, ranked.roles)
    and (ranked.place > {_QUESTIONS} or otklik_answer.asked_on < current_date - {_DAYS})
""")  # noqa: S608  (numbers of this file)

_NOT_KEPT = text(f"""
select question, roles, path, body, user_id
from otklik_answer cross join otklik_generation
where (night, otklik_answer.generation) is distinct from (:night, otklik_generation.generation)
order by {_USUAL_FIRST}
""")  # noqa: S608

_DROP = text("""
delete from otklik_answer using otklik_generation
where
    question = :question and roles = :roles
    and (night, otklik_answer.generation) is distinct from (:night, otklik_generation.generation)
""")

# Superset starts, and makes its own tables, before there are those of kept answers.
_FORGET = text("""
do $$begin
    if to_regclass('otklik_generation') is not null then
        update otklik_generation set generation = generation + 1;
    end if;
end$$
""")


@dataclass(frozen=True)
class Asked:
    """A question of a reader with these roles, on a night; without the night its answer cannot be kept."""

    question: str
    roles: str
    night: str

    def values(self) -> dict[str, str]:
        return {"question": self.question, "roles": self.roles, "night": self.night}


def keep_answers(app: Flask, warehouse: URL, options: dict[str, Any]) -> None:
    """Let the app keep answers, and ask them again at POST /api/v1/otklik/warm.

    `warehouse` and `options` are the address and the options of a connection as the reader of marts.
    """
    from superset.extensions import csrf

    marts = create_engine(warehouse, **options, pool_size=_CONNECTIONS, isolation_level="AUTOCOMMIT")
    app.before_request(partial(_look_up, marts))

    # For bearers of a token only: there is no cookie that another site could use.
    @csrf.exempt
    @app.post("/api/v1/otklik/warm")
    def warm() -> Response:
        return _warm(app, marts)

    event.listen(Session, "after_flush", _forget_what_changed)


def create_tables() -> None:
    """Create the tables of kept answers in Superset's own database where they are not there yet."""
    from superset.extensions import db

    db.session.execute(text(_TABLES))
    db.session.commit()


def forget_answers(session: Any) -> None:
    """Keep no answer beyond this session's transaction: what decided them has changed."""
    session.execute(_FORGET)


def _forget_what_changed(session: Session, _: Any) -> None:
    from flask_appbuilder.security.sqla.models import Role
    from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable, SqlMetric, TableColumn
    from superset.models.core import Database
    from superset.models.dashboard import Dashboard
    from superset.models.slice import Slice

    def decides(changed: Any) -> bool:
        if isinstance(changed, (TableColumn, SqlMetric)):
            return decides(changed.table)
        if isinstance(changed, (SqlaTable, Database, Dashboard, Slice)):
            # What analysts make for themselves is not kept.
            return bool(changed.is_managed_externally)
        return isinstance(changed, (Role, RowLevelSecurityFilter))

    changes = [*session.new, *session.deleted, *(held for held in session.dirty if session.is_modified(held))]
    if any(map(decides, changes)):
        forget_answers(session)


def _look_up(marts: Engine) -> Response | None:
    """Answer the request with what is kept, or see to it that its answer is."""
    if request.endpoint != CHART_DATA and request.endpoint not in PAGES:
        return None
    try:
        if (question := _question()) is None:
            return None
        from superset.extensions import db

        night = _night(marts)
        told = {"question": question, "night": night, "user_id": current_user.id}
        found = db.session.execute(_FIND, told).one()
        asked = Asked(question, found.roles, night)
        if found.answer is not None and not (request.is_json and request.json.get("force")):
            if found.first_today:
                db.session.execute(_ASKED_TODAY, {"question": asked.question, "roles": asked.roles})
                db.session.commit()
            return Response(bytes(found.answer), content_type=found.content_type, headers={HEADER: "yes"})
    except SQLAlchemyError as error:
        # The tables come with the first `otklik up`, and marts with the first night; Superset says what is wrong.
        _LOG.warning("Answers cannot be kept now: %s", error)
        _rollback()
        return None
    after_this_request(partial(_keep, marts, asked, found.generation))
    return None


def _question() -> str | None:
    """Return what is asked; None when nobody is logged in, or the answer is not one to keep."""
    if not current_user.is_authenticated:
        return None
    if request.endpoint == CHART_DATA:
        body = request.get_json(silent=True)
        return chart_question(body, date.today()) if isinstance(body, dict) else None  # noqa: DTZ011  (as Superset)
    return page_question(request.path, request.query_string.decode())


def _night(marts: Engine) -> str:
    try:
        return _ask_night(marts)
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
    # The database was started again: of the connections from before there is none any more.
    return _ask_night(marts)


def _ask_night(marts: Engine) -> str:
    with marts.connect() as connection:
        return connection.execute(_NIGHT).scalar_one() or ""


def _keep(marts: Engine, asked: Asked, generation: int, response: Response) -> Response:
    response.headers[HEADER] = "no"
    try:
        if response.status_code == _OK and _is_from_files() and _night(marts) == asked.night:
            _write(asked, generation, response)
    except SQLAlchemyError:
        _LOG.warning("An answer was not kept", exc_info=True)
    return response


def _is_from_files() -> bool:
    """Whether what answered is described by files, and is data of the marts."""
    from superset.connectors.sqla.models import SqlaTable
    from superset.daos.dashboard import DashboardDAO
    from superset.extensions import db

    if request.endpoint in PAGES:
        return bool(DashboardDAO.get_by_id_or_slug(request.view_args["id_or_slug"]).is_managed_externally)
    dataset = db.session.get(SqlaTable, request.json["datasource"]["id"])
    return bool(dataset and dataset.is_managed_externally) and dataset.database.url_object.username == READER


def _write(asked: Asked, generation: int, response: Response) -> None:
    from superset.extensions import db

    values = {
        "generation": generation,
        "path": request.full_path.rstrip("?"),
        "body": request.get_data(as_text=True),
        "user_id": current_user.id,
        "content_type": response.content_type,
        "answer": response.get_data(),
        "warming": g.get("otklik_warming", False),
    }
    # Apart from the session, in which the view may have left what is not to be written.
    with db.engine.begin() as connection:
        connection.execute(_KEEP, asked.values() | values)


def _rollback() -> None:
    from superset.extensions import db

    db.session.rollback()


def _warm(app: Flask, marts: Engine) -> Response:
    """Ask again for some seconds what readers asked lately and is not kept of this night.

    For engineers, with a token. Answers {"asked", "failed", "left"}: call it until nothing is left.
    """
    from superset.extensions import db, security_manager

    verify_jwt_in_request()
    if not security_manager.is_admin():
        return Response("Engineers only", 403)
    db.session.execute(_PURGE)
    db.session.commit()
    night = _night(marts)
    questions = db.session.execute(_NOT_KEPT, {"night": night}).all()
    db.session.rollback()
    ends = monotonic() + _SLICE
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        outcomes = list(pool.map(partial(_ask_again, app, night, ends), questions))
    return jsonify(asked=outcomes.count(True), failed=outcomes.count(False), left=outcomes.count(None))


def _ask_again(app: Flask, night: str, ends: float, row: Any) -> bool | None:
    """Ask one question as the reader who asked it; return whether that went well, None when there was no time."""
    from superset.extensions import db, security_manager

    if monotonic() > ends:
        return None
    method = "POST" if row.body else "GET"
    with app.test_request_context(row.path, method=method, data=row.body, content_type="application/json"):
        reader = security_manager.get_user_by_id(row.user_id)
        well = False
        told = {"question": row.question, "night": night, "user_id": row.user_id}
        if reader and reader.is_active and db.session.execute(_FIND, told).one().roles == row.roles:
            g.user = g._login_user = reader
            g.otklik_warming = True
            well = app.full_dispatch_request().status_code == _OK
        # What cannot be answered any more is not asked again.
        with db.engine.begin() as connection:
            connection.execute(_DROP, {"question": row.question, "roles": row.roles, "night": night})
    return well
