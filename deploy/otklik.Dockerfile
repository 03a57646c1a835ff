# Airflow, dbt, Great Expectations and Otklik itself. Build from the project's root.
FROM python:3.11-slim-bookworm AS build
WORKDIR /opt/otklik
COPY requirements.txt deploy/requirements-celery.txt ./
# As in the Makefile: the lock's own lines bring uv, hashes included.
RUN python -m venv .venv \
    && awk '/^uv==/ { on = 1 } on; on && !/\\$/ { exit }' requirements.txt > uv.txt \
    && .venv/bin/python -m pip install --quiet --no-cache-dir --require-hashes -r uv.txt \
    && .venv/bin/uv pip sync --quiet --no-cache --python .venv/bin/python --require-hashes \
        requirements.txt requirements-celery.txt
COPY . .
RUN .venv/bin/uv pip install --quiet --no-cache --offline --python .venv/bin/python --no-deps --editable .

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/otklik otklik \
    && install --directory --owner otklik --group otklik --mode 0750 \
        /var/lib/otklik /var/lib/otklik/var /var/lib/otklik/var/airflow \
        /var/lib/otklik/var/landing /var/lib/otklik/var/log \
    # Read by nginx and by Superset, which run as other users.
    && install --directory --owner otklik --group otklik --mode 0755 \
        /var/lib/otklik/var/site /var/lib/otklik/var/superset /var/lib/otklik/var/superset/prepared
COPY --from=build /opt/otklik /opt/otklik
ENV PATH=/opt/otklik/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    OTKLIK_HOME=/var/lib/otklik
WORKDIR /opt/otklik
USER otklik
ENTRYPOINT ["otklik"]
