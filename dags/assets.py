"""What arrives, as the timetables tell one another of it."""

from airflow.sdk import Asset

RAW_INCIDENT = Asset(name="raw.incident", uri="otklik://raw/incident")
RAW_PAGE_SNAPSHOT = Asset(name="raw.page_snapshot", uri="otklik://raw/page_snapshot")
RAW_SURVEY_RESPONSE = Asset(name="raw.survey_response", uri="otklik://raw/survey_response")
