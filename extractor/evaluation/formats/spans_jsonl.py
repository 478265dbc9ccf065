"""Prodigy and doccano, one JSON object a line. Offsets are code points of the text in both.

Prodigy: `{"text", "spans": [{"start", "end", "label"}], "relations": [{"head_span", "child_span", "label"}], "meta"}`.
We add "id" and "attributes" to spans, "id" to relations and to their two spans, "gold" to the record, and "id" and
"author" to "meta", which Prodigy shows to the annotator (the gold is not shown).

doccano: `{"text", "entities": [{"id", "start_offset", "end_offset", "label"}], "relations": [{"id", "from_id", "to_id",
"type"}]}`, or older `{"text" or "data", "label" or "labels": [[start, end, label]]}`. We add one key "facetcode" with
id, author, gold, and the attributes and ids of spans. doccano numbers spans anew, so that these are found by offsets
and label; what belongs to a span that is no longer there is dropped.

Discontinuous spans: see `fragments`. Other unknown keys are carried, those of single spans and relations are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import codings, common, fragments
from extractor.evaluation.formats.common import Names, Record
from extractor.evaluation.records import Document, Entity, Relation

_PRODIGY = frozenset({"text", "spans", "relations", "meta", "gold"})
_META = frozenset({"id", "author"})
_DOCCANO = frozenset({"id", "text", "data", "label", "labels", "entities", "relations", "facetcode"})

Place = tuple[int, int, str]  # start, end, label


# -- Prodigy -------------------------------------------------------------------------------------------------------


def read_prodigy(path: Path) -> Iterator[Document]:
    """The documents of a Prodigy dataset (`prodigy db-out`).

    Records whose answer is "reject" or "ignore" are left out: what they hold is not what the annotator says. The id is
    meta.id, else id, else the name of the file and the number of the record. `InputError` names the line when JSON, a
    key, an id that stands twice, or a span is wrong, or when the text is missing.
    """
    return common.corpus(_found_prodigy(path))


def write_prodigy(documents: Iterable[Document], path: Path) -> None:
    """A Prodigy dataset. `InputError` when a document or the path is wrong."""
    common.write_lines(path, (_to_prodigy(document) for document in common.to_write(documents)))


def _found_prodigy(path: Path) -> Iterator[tuple[str, Document]]:
    for number, (where, record) in enumerate(common.lines(path), start=1):
        if record.get("answer", "accept") == "accept":
            yield where, _from_prodigy(record, where, f"{path.stem}-{number}")


def _from_prodigy(record: Record, where: str, otherwise: str) -> Document:
    text = common.required(record, "text", where)
    meta = common.an_object(record, "meta", where)
    parts = common.objects(record, "spans", where)
    names = Names(str(part["id"]) for part in parts if "id" in part)
    entities = [_span(part, where, names, text) for part in parts]
    places: dict[Place, str] = {}
    for entity in reversed(entities):  # of two spans alike, the first is meant
        places[_place(entity)] = entity.id
    ties = common.objects(record, "relations", where)
    links = Names(str(tie["id"]) for tie in ties if "id" in tie)
    relations = []
    for number, tie in enumerate(ties, start=1):
        at = f"{where}: relation {number}"
        name = common.identifier(tie["id"], where, "relation") if "id" in tie else links.next("R")
        head, tail = (_end(tie, key, places, at) for key in ("head_span", "child_span"))
        relations.append(Relation(name, common.label(tie.get("label"), at), head, tail))
    whole, others = fragments.joined(entities, relations, where)
    more = {key: value for key, value in meta.items() if key not in _META}
    carried = common.gathered(record, _PRODIGY | ({"id"} if "id" not in meta else set()))
    return Document(
        id=common.identifier(meta.get("id", record.get("id", otherwise)), where, "record"),
        text=text,
        entities=whole,
        relations=others,
        coding=codings.optional_coding(record, "gold", where),
        author=common.optional(meta, "author", where),
        carried=carried | ({"meta": more} if more else {}),
    )


def _span(part: Record, where: str, names: Names, text: str) -> Entity:
    name = common.identifier(part["id"], where, "span") if "id" in part else names.next("T")
    start, end = common.offset(part.get("start"), where), common.offset(part.get("end"), where)
    words = part.get("text")
    if isinstance(words, str) and words != text[start:end]:
        raise InputError(f"{where}: the words of {printable(name)} are not those at its offsets")
    attributes = common.attributes(part.get("attributes", {}), f"{where}: {printable(name)}")
    return Entity(name, common.label(part.get("label"), where), ((start, end),), attributes)


def _end(tie: Record, key: str, places: dict[Place, str], where: str) -> str:
    span = common.an_object(tie, key, where)
    if "id" in span:
        return common.identifier(span["id"], where, "span")
    start, end, label = span.get("start"), span.get("end"), span.get("label")
    if isinstance(start, int) and isinstance(end, int) and isinstance(label, str):
        if (start, end, label) in places:
            return places[start, end, label]
    raise InputError(f"{where}: its {key} is not one of the spans")


def _to_prodigy(document: Document) -> Record:
    entities, relations = fragments.split(document)
    by_id = {entity.id: entity for entity in entities}
    meta = document.carried.get("meta")
    more = meta if isinstance(meta, dict) and not meta.keys() & _META else {}
    carried = {key: value for key, value in document.carried.items() if key != "meta" or not more}
    record: Record = {"text": document.text, "spans": [_to_span(entity) for entity in entities]}
    if relations:
        record["relations"] = [
            {
                "id": relation.id,
                "label": relation.label,
                "head_span": _to_span(by_id[relation.head], attributes=False),
                "child_span": _to_span(by_id[relation.tail], attributes=False),
            }
            for relation in relations
        ]
    record["meta"] = {"id": document.id} | ({"author": document.author} if document.author else {}) | more
    if document.coding is not None:
        record["gold"] = codings.plain(document.coding)
    # An answer that came from elsewhere must not hide the record.
    mine = _PRODIGY if carried.get("answer") == "accept" else _PRODIGY | {"answer"}
    return common.spread(record, carried, mine)


def _to_span(entity: Entity, attributes: bool = True) -> Record:
    span: Record = {"start": entity.start, "end": entity.end, "label": entity.label, "id": entity.id}
    return span | ({"attributes": dict(entity.attributes)} if attributes and entity.attributes else {})


# -- doccano -------------------------------------------------------------------------------------------------------


def read_doccano(path: Path) -> Iterator[Document]:
    """The documents of a doccano export (JSONL of sequence labelling, with or without relations).

    The id is facetcode.id, else id, else the name of the file and the number of the record. `InputError` names the line
    when JSON, a key, an id that stands twice, or a span is wrong, or when the text is missing.
    """
    return common.corpus(_found_doccano(path))


def write_doccano(documents: Iterable[Document], path: Path) -> None:
    """A file for doccano, with entities and relations. `InputError` when a document or the path is wrong."""
    common.write_lines(path, (_to_doccano(document) for document in common.to_write(documents)))


def _found_doccano(path: Path) -> Iterator[tuple[str, Document]]:
    for number, (where, record) in enumerate(common.lines(path), start=1):
        yield where, _from_doccano(record, where, f"{path.stem}-{number}")


def _from_doccano(record: Record, where: str, otherwise: str) -> Document:
    ours = common.an_object(record, "facetcode", where)
    text = common.required(record, "data" if "text" not in record and "data" in record else "text", where)
    raw = list(_raw(record, where))
    entities, ids = _named(raw, ours, where)
    whole, others = fragments.joined(entities, _ties(record, ours, ids, where), where)
    return Document(
        id=common.identifier(ours.get("id", record.get("id", otherwise)), where, "record"),
        text=text,
        entities=whole,
        relations=others,
        coding=codings.optional_coding(ours, "gold", where),
        author=common.optional(ours, "author", where),
        carried=common.gathered(record, _DOCCANO),
    )


def _raw(record: Record, where: str) -> Iterator[tuple[str, Place]]:
    """The spans of either form, with the ids of doccano ("" where there are none)."""
    for part in common.objects(record, "entities", where):
        start, end = (common.offset(part.get(key), where) for key in ("start_offset", "end_offset"))
        name = common.identifier(part["id"], where, "span") if "id" in part else ""
        yield name, (start, end, common.label(part.get("label"), where))
    for key in ("label", "labels"):
        triples = record.get(key, [])
        if not isinstance(triples, list) or not all(isinstance(one, list) and len(one) == 3 for one in triples):
            raise InputError(f'{where}: key "{key}" is not a list of [start, end, label]')
        for start, end, label in triples:
            yield "", (common.offset(start, where), common.offset(end, where), common.label(label, where))


def _named(raw: list[tuple[str, Place]], ours: Record, where: str) -> tuple[list[Entity], dict[str, str]]:
    """The spans under our ids and with their attributes; and a map from doccano's ids to ours."""
    known: dict[Place, list[tuple[str, dict[str, str]]]] = {}
    for place, part in zip(_raw(ours, where), common.objects(ours, "entities", where), strict=False):
        known.setdefault(place[1], []).append((place[0], common.attributes(part.get("attributes", {}), where)))
    found = [known[place].pop(0) if known.get(place) else None for _, place in raw]
    taken = {one[0] for one in found if one}
    names = Names({*taken, *(name for name, _ in raw)})
    entities: list[Entity] = []
    ids: dict[str, str] = {}
    for (theirs, (start, end, label)), one in zip(raw, found, strict=True):
        # The number that doccano gave to a new span may be one of our ids.
        name, attributes = one or (theirs if theirs and theirs not in taken else names.next("T"), {})
        entities.append(Entity(name, label, ((start, end),), attributes))
        if theirs in ids:
            raise InputError(f"{where}: the id {printable(theirs)} is there twice")
        if theirs:
            ids[theirs] = name
    return entities, ids


def _ties(record: Record, ours: Record, ids: dict[str, str], where: str) -> list[Relation]:
    known: dict[tuple[str, str, str], list[str]] = {}
    for tie in common.objects(ours, "relations", where):
        between = (common.required(tie, key, where) for key in ("head", "tail", "label"))
        head, tail, label = between
        known.setdefault((head, tail, label), []).append(common.required(tie, "id", where))
    links = Names(name for group in known.values() for name in group)
    relations = []
    for tie in common.objects(record, "relations", where):
        label = common.label(tie.get("type"), where)
        ends = [ids.get(common.identifier(tie.get(key), where, "span")) for key in ("from_id", "to_id")]
        if ends[0] is None or ends[1] is None:
            raise InputError(f"{where}: a relation links to something that is not there")
        group = known.get((ends[0], ends[1], label))
        relations.append(Relation(group.pop(0) if group else links.next("R"), label, ends[0], ends[1]))
    return relations


def _to_doccano(document: Document) -> Record:
    entities, relations = fragments.split(document)
    numbers = {entity.id: number for number, entity in enumerate(entities, start=1)}  # doccano takes numbers only
    record: Record = {
        "id": document.id,
        "text": document.text,
        "entities": [_to_entity(entity, numbers[entity.id]) for entity in entities],
        "relations": [
            {"id": number, "from_id": numbers[tie.head], "to_id": numbers[tie.tail], "type": tie.label}
            for number, tie in enumerate(relations, start=1)
        ],
    }
    ours: Record = {"id": document.id} | ({"author": document.author} if document.author else {})
    if entities:
        ours["entities"] = [
            _to_entity(entity, entity.id) | ({"attributes": dict(entity.attributes)} if entity.attributes else {})
            for entity in entities
        ]
    if document.relations:
        ours["relations"] = [
            {"id": tie.id, "head": tie.head, "tail": tie.tail, "label": tie.label} for tie in document.relations
        ]
    if document.coding is not None:
        ours["gold"] = codings.plain(document.coding)
    return common.spread(record | {"facetcode": ours}, document.carried, _DOCCANO)


def _to_entity(entity: Entity, name: str | int) -> Record:
    return {"id": name, "start_offset": entity.start, "end_offset": entity.end, "label": entity.label}


def _place(entity: Entity) -> Place:
    return entity.start, entity.end, entity.label
