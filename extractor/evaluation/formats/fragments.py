"""Discontinuous spans in formats that know only spans of one piece.

The first piece carries the entity; each further piece is a span of its own with the same label, and a relation
`fragment-of` leads from it to the first. A relation survives an annotation tool, an unknown key on a span may not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats.common import Names
from extractor.evaluation.records import Document, Entity, Relation

FRAGMENT = "fragment-of"


def split(document: Document) -> tuple[list[Entity], list[Relation]]:
    """Entities of one piece each and relations, the ones between pieces included. `InputError` when the document uses
    the label `fragment-of` itself.

    >>> split(Document("n1", "left and right", (Entity("T1", "Side", ((0, 4), (9, 14))),)))[1]
    [Relation(id='R1', label='fragment-of', head='T2', tail='T1')]
    """
    names = Names(entity.id for entity in document.entities)
    links = Names(relation.id for relation in document.relations)
    entities: list[Entity] = []
    relations: list[Relation] = []
    for entity in document.entities:
        first, *rest = entity.fragments
        entities.append(replace(entity, fragments=(first,)))
        for piece in rest:
            entities.append(Entity(names.next("T"), entity.label, (piece,)))
            relations.append(Relation(links.next("R"), FRAGMENT, entities[-1].id, entity.id))
    if any(relation.label == FRAGMENT for relation in document.relations):
        where = f"document {printable(document.id)}"
        raise InputError(f"{where}: the relation label {FRAGMENT} is taken for the pieces of a span")
    return entities, [*document.relations, *relations]


def joined(
    entities: Sequence[Entity], relations: Sequence[Relation], where: str
) -> tuple[tuple[Entity, ...], tuple[Relation, ...]]:
    """The way back. A relation `fragment-of` that leads to no span, or to one of another label, is an `InputError`;
    other relations that an annotator drew to a further piece lead to the entity."""
    by_id = {entity.id: entity for entity in entities}
    whole: dict[str, list[Entity]] = {}
    gone: dict[str, str] = {}
    for relation in relations:
        if relation.label != FRAGMENT:
            continue
        piece, first = by_id.get(relation.head), by_id.get(relation.tail)
        if piece is None or first is None or piece is first or piece.id in gone or piece.label != first.label:
            raise InputError(f"{where}: a relation {FRAGMENT} does not lead to a span of the same label")
        gone[piece.id] = first.id
        whole.setdefault(first.id, []).append(piece)
    if gone.keys() & whole.keys():
        raise InputError(f"{where}: a relation {FRAGMENT} leads to a span that is itself a fragment")
    return (
        tuple(_with(entity, whole.get(entity.id, [])) for entity in entities if entity.id not in gone),
        tuple(
            replace(relation, head=gone.get(relation.head, relation.head), tail=gone.get(relation.tail, relation.tail))
            for relation in relations
            if relation.label != FRAGMENT
        ),
    )


def _with(entity: Entity, pieces: Sequence[Entity]) -> Entity:
    if not pieces:
        return entity
    fragments = sorted((*entity.fragments, *(fragment for piece in pieces for fragment in piece.fragments)))
    return replace(entity, fragments=tuple(fragments))
