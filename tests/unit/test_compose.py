"""docker-compose.yml is whole, private and agrees with how `otklik up` runs the same things."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from dotenv import dotenv_values

from otklik.runtime.airflow import airflow_environment
from otklik.runtime.superset import prepared_folder, superset_command, superset_environment
from otklik.settings import PREFIX, PROJECT, Settings, get_settings
from tests.fixtures.cluster import environment, scratch_home

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOW = [name for name in SERVICES if name.startswith("airflow-")]
ONE_SHOT = {"warehouse-init", "airflow-init", "dashboards-init", "superset-init", "otklik"}
VARIABLE = re.compile(r"\$\{([A-Z_]+)(?::\?|:-([^}]*))?\}")
SECRET = re.compile(r"PASSWORD|_KEY$|SECRET|_AUTH$|BROKER_URL|DATABASE_URL")


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What deploy/make-env.sh makes of deploy/env.example."""
    target = tmp_path_factory.mktemp("deploy") / "env"
    subprocess.run(["sh", PROJECT / "deploy/make-env.sh", target], check=True, capture_output=True)
    return {name: value or "" for name, value in dotenv_values(target).items()}


def told(service: str, values: dict[str, str]) -> dict[str, str]:
    """The environment of a service with the variables put in."""
    return {
        name: VARIABLE.sub(lambda match: values[match[1]] or match[2] or "", str(value))
        for name, value in SERVICES[service].get("environment", {}).items()
    }


def settings_of(service: str, values: dict[str, str]) -> Settings:
    """What Otklik in that container reads."""
    ours = {name.removeprefix(PREFIX): text for name, text in told(service, values).items() if name.startswith(PREFIX)}
    with scratch_home(), environment(**ours):
        return get_settings()


def dockerfile_of(service: str) -> str:
    return (PROJECT / SERVICES[service]["build"]["dockerfile"]).read_text(encoding="utf-8")


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_published_on_loopback_only(service: str) -> None:
    for port in SERVICES[service].get("ports", []):
        assert port.startswith("127.0.0.1:"), port


def test_the_template_has_exactly_the_variables_that_are_used() -> None:
    used = {match[1] for match in VARIABLE.finditer((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))}
    assert used == set(dotenv_values(PROJECT / "deploy/env.example"))


def test_the_template_holds_no_secret() -> None:
    template = dotenv_values(PROJECT / "deploy/env.example")
    assert not [name for name, value in template.items() if SECRET.search(name) and value]


@pytest.mark.parametrize("service", SERVICES)
def test_secrets_come_from_the_environment(service: str) -> None:
    for name, value in SERVICES[service].get("environment", {}).items():
        if SECRET.search(name) and value != "withheld":
            assert VARIABLE.search(value), f"{service}: {name}"


def test_only_postgres_and_the_step_that_makes_roles_know_the_administrator() -> None:
    knows = {
        service
        for service, content in SERVICES.items()
        if "OTKLIK_ADMIN_PASSWORD:" in str(content.get("environment", {}).values())
    }
    assert knows == {"postgres", "warehouse-init"}


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_mounted_from_the_host_exists_and_is_read_only(service: str) -> None:
    for mount in SERVICES[service].get("volumes", []):
        source, _, mode = re.fullmatch(r"(\$\{.+?\}|[^:]+):([^:]+)(?::(ro))?", mount).groups()
        if source in COMPOSE["volumes"]:
            continue
        assert mode == "ro", mount
        assert source.startswith("${") or (PROJECT / source).is_file(), mount


@pytest.mark.parametrize("service", [name for name in SERVICES if "build" in SERVICES[name]])
def test_images_are_built_from_files_that_exist(service: str) -> None:
    context = PROJECT / SERVICES[service]["build"]["context"]
    for line in dockerfile_of(service).splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            assert all((context / source).exists() for source in line.split()[1:-1]), line


@pytest.mark.parametrize("service", SERVICES)
def test_nothing_runs_as_root(service: str) -> None:
    user = SERVICES[service].get("user") or re.findall(r"^USER (\w+)$", dockerfile_of(service), re.MULTILINE)[-1]
    assert user not in ("", "root", "0")


@pytest.mark.parametrize("service", [name for name in SERVICES if name not in ONE_SHOT])
def test_what_keeps_running_is_watched_and_restarted(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"]
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", SERVICES)
def test_what_a_service_waits_for_can_come_to_pass(service: str) -> None:
    for other, wanted in SERVICES[service].get("depends_on", {}).items():
        if wanted["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]
        else:
            assert other in ONE_SHOT


@pytest.mark.parametrize("service", [*AIRFLOW, "warehouse-init", "dashboards-init", "otklik"])
def test_otklik_in_a_container_finds_all_its_settings(service: str, values: dict[str, str]) -> None:
    settings = settings_of(service, values)
    assert (settings.db_host, settings.db_port) == ("postgres", 5432)
    assert settings.embedded == (service != "warehouse-init")
    assert (str(settings.inbox), str(settings.landing)) == ("/srv/inbox", "/var/lib/otklik/var/landing")


def test_containers_find_files_and_systems_elsewhere(values: dict[str, str]) -> None:
    addresses = {"OTKLIK_INBOX_ADDRESS": "s3://centre/inbox", "OTKLIK_LANDING_ADDRESS": "sftp://files@host/landing"}
    for service in [*AIRFLOW, "otklik"]:
        settings = settings_of(service, values | addresses)
        assert (settings.inbox, settings.landing) == ("s3://centre/inbox", "sftp://files@host/landing")
        assert SERVICES[service]["env_file"] == [{"path": "deploy/places.env", "required": False}]
        mounted = [mount.split(":") for mount in SERVICES[service]["volumes"]]
        assert ["${OTKLIK_CONNECTIONS", "?}", "/var/lib/otklik/connections.yaml", "ro"] in mounted


@pytest.mark.parametrize("service", AIRFLOW)
def test_airflow_is_configured_as_on_one_machine_but_for_what_containers_need(
    service: str, values: dict[str, str]
) -> None:
    one_machine = airflow_environment(settings_of(service, values))
    changed = {
        name for name, value in told(service, values).items() if name.startswith("AIRFLOW") and name in one_machine
    }
    assert changed == {
        "AIRFLOW__CORE__EXECUTOR",
        "AIRFLOW__CORE__PARALLELISM",
        "AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
        "AIRFLOW__API__HOST",
    }


def test_workers_find_the_api_server_where_it_listens(values: dict[str, str]) -> None:
    address = urlsplit(told("airflow-worker", values)["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"])
    listens = airflow_environment(settings_of("airflow-api-server", values))["AIRFLOW__API__PORT"]
    assert address.hostname in SERVICES
    assert (str(address.port), address.path) == (listens, "/execution/")


def test_superset_is_told_no_more_than_on_one_machine(values: dict[str, str]) -> None:
    values = values | {"OTKLIK_SUPERSET_AUTHORITY": "Администрация"}
    one_machine = superset_environment(settings_of("otklik", values))
    mails = {f"OTKLIK_SUPERSET_MAIL_{name}" for name in ("TO", "FROM", "SERVER")}
    for service, more in (("superset", set()), ("superset-init", mails)):
        assert told(service, values).keys() <= one_machine.keys() | more
        required = re.findall(r'_required\("(\w+)"\)', (PROJECT / "superset/superset_config.py").read_text())
        assert set(required) <= told(service, values).keys()


def test_superset_reads_what_otklik_prepared_where_it_was_written(values: dict[str, str]) -> None:
    settings = settings_of("dashboards-init", values)
    written = Path("/var/lib/otklik") / prepared_folder(settings).relative_to(settings.home)
    assert SERVICES["dashboards-init"]["volumes"] == [f"prepared:{written}"]
    assert "SUPERSET_HOME=/var/lib/superset\n" in dockerfile_of("superset-init").replace(" \\\n", "\n")
    for service in ("superset-init", "superset"):
        assert SERVICES[service]["volumes"] == ["prepared:/var/lib/superset/prepared:ro"]


def test_superset_is_served_by_the_same_command(values: dict[str, str]) -> None:
    command = superset_command(settings_of("otklik", values))
    expected = [part.replace("127.0.0.1", "0.0.0.0") for part in ["gunicorn", *command[1:]]]  # noqa: S104 - a container
    written = dockerfile_of("superset").partition("CMD ")[2].replace("\\\n", " ")
    assert yaml.safe_load(written) == expected


def test_what_sends_mails_finds_superset_where_it_listens_and_people_find_it_where_they_do(
    values: dict[str, str],
) -> None:
    inside = urlsplit(told("superset-mail", values)["OTKLIK_SUPERSET_INSIDE"])
    assert SERVICES["superset"]["ports"] == [f"127.0.0.1:${{OTKLIK_SUPERSET_PORT:?}}:{inside.port}"]
    assert inside.hostname == "superset"
    elsewhere = told("superset-mail", values | {"OTKLIK_SUPERSET_ADDRESS": "https://otklik.example.org"})
    assert elsewhere["OTKLIK_SUPERSET_ADDRESS"] == "https://otklik.example.org"


def test_mails_name_dashboards_that_there_are_and_only_one_service_keeps_their_clock() -> None:
    assets = PROJECT / "superset" / "assets"
    slugs = {yaml.safe_load(file.read_text())["slug"] for file in (assets / "dashboards").glob("*.yaml")}
    assert {mail["dashboard"] for mail in yaml.safe_load((assets / "mails.yaml").read_text())} <= slugs
    assert [name for name in SERVICES if "--beat" in str(SERVICES[name].get("command"))] == ["superset-mail"]


@pytest.mark.parametrize("service", ["airflow-scheduler", "airflow-triggerer", "airflow-worker"])
def test_parts_of_airflow_do_not_serve_their_logs(service: str) -> None:
    assert "--skip-serve-logs" in SERVICES[service]["command"]


def test_secrets_are_made_once_and_for_the_owner_only(tmp_path: Path) -> None:
    target = tmp_path / "env"
    command = ["sh", PROJECT / "deploy/make-env.sh", target]
    subprocess.run(command, check=True, capture_output=True)
    assert stat.S_IMODE(os.stat(target).st_mode) == 0o600
    assert yaml.safe_load((tmp_path / "connections.yaml").read_text()) == {}
    assert stat.S_IMODE(os.stat(tmp_path / "connections.yaml").st_mode) == 0o600
    before = target.read_text()
    again = subprocess.run(command, check=False, capture_output=True, text=True)
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert target.read_text() == before
