"""All entities by name, in the order in which a person would fill an empty warehouse."""

from otklik.contracts import centre, survey
from otklik.contracts.entity import Entity
from otklik.contracts.incident import INCIDENT
from otklik.contracts.page_snapshot import PAGE_SNAPSHOT

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        centre.AUTHORITY,
        centre.PAGE,
        PAGE_SNAPSHOT,
        INCIDENT,
        survey.SURVEY,
        survey.QUESTION,
        survey.OPTION,
        survey.RESPONSE,
        survey.ANSWER,
        centre.BROADCAST,
        centre.MATERIAL,
    )
}
