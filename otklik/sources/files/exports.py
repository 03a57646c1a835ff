"""Exports that are no tables of one entity: read whole, into the records they hold."""

from otklik.mapping import Mapping
from otklik.sources.files import survey_export, telegram_export
from otklik.sources.files.members import Member, damage_named
from otklik.sources.files.survey_export import ExportFacts
from otklik.sources.records import Records


def read_export(member: Member, mapping: Mapping) -> list[Records]:
    """Return the records of the member, by entity; raise FileError when it cannot be read."""
    with damage_named(member.name):
        body = member.stream.read()
    survey = mapping.limesurvey
    if survey is None:
        return [telegram_export.read_export(body, member.name, mapping.telegram.public_name)]
    translations = {language: mapping.beside(file) for language, file in survey.translations.items()}
    facts = ExportFacts(mapping.zone, survey.complete, translations)
    return survey_export.read_export(body, member.name, mapping.beside(survey.structure), survey.survey_id, facts)
