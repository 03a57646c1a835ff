# Superset with its own lock: it cannot share an environment with Airflow. Build from the project's root.
FROM python:3.11-slim-bookworm AS build
WORKDIR /opt/otklik/superset
COPY requirements.txt /tmp/otklik.txt
COPY superset/requirements.txt /tmp/superset.txt
# As in the Makefile: uv comes from the other lock, hashes included.
RUN awk '/^uv==/ { on = 1 } on; on && !/\\$/ { exit }' /tmp/otklik.txt > /tmp/uv.txt \
    && python -m pip install --quiet --no-cache-dir --require-hashes -r /tmp/uv.txt \
    && python -m venv --without-pip .venv \
    && uv pip sync --quiet --no-cache --python .venv/bin/python --require-hashes /tmp/superset.txt

FROM python:3.11-slim-bookworm AS superset
RUN useradd --system --uid 10002 --user-group --no-create-home --home-dir /var/lib/superset superset \
    && install --directory --owner superset --group superset --mode 0750 /var/lib/superset
COPY --from=build /opt/otklik/superset/.venv /opt/otklik/superset/.venv
COPY superset /opt/otklik/superset
ENV PATH=/opt/otklik/superset/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    FLASK_APP="superset.app:create_app()" \
    SUPERSET_CONFIG_PATH=/opt/otklik/superset/superset_config.py \
    SUPERSET_HOME=/var/lib/superset
WORKDIR /var/lib/superset

# What sends mails takes pictures of dashboards, in a browser.
FROM superset AS mail
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium chromium-driver fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/*
USER superset

FROM superset
USER superset
# As `otklik up` runs it; the port is published on loopback only.
CMD ["gunicorn", "--bind", "0.0.0.0:8088", "--worker-class", "gthread", "--workers", "2", "--threads", "8", \
     "--keep-alive", "75", "--timeout", "120", "superset.app:create_app()"]
