"""Our own JSONL: gold records, and the result records of `facetcode run`.

A gold record is one JSON object a line:
`{"id", "text", "author"?, "entities": [{"id"?, "label", "start", "end" or "fragments": [[start, end], ...], "text"?,
"value"?, "assertion"?, "attributes"?}], "relations": [{"id"?, "label", "head", "tail"}], "gold": {"status", "lines":
[{"code", "side", "joints"}], "claim"?, "imaging"?, "injectate"?, "target"?, "queries"?: [ids], "why"?}}`.
Unknown keys of the record, of its gold, entities and relations are carried and written back where they were.

A result record is a `CodingResult` (extractor/schema.py): status, lines, claim, summary and queries stand at the top,
and the text of the note is not in it. What `Document` has no place for (evidence and reasons of lines, the wording of
queries) is left out; warnings, rejected, procedures and versions are carried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import codings, common
from extractor.evaluation.formats.common import Names, Record
from extractor.evaluation.records import Document, Entity, Fragment, Relation

_ENTITY = frozenset({"id", "label", "start", "end", "fragments", "text", "value", "assertion", "attributes"})
_RELATION = frozenset({"id", "label", "head", "tail"})
_KNOWN = frozenset({"id", "text", "author", "entities", "relations", "gold"})
_RESULT = frozenset({"id", "text", "author", "entities", "relations"}) | codings.KEYS
_RESERVED = _KNOWN | _RESULT
# In `carried`: unknown keys of the parts of a record. {id: keys} for entities and relations, {"": keys} for the gold.
_INNER = ("entity_keys", "relation_keys", "gold_keys")


def read(path: Path) -> Iterator[Document]:
    """The documents of a JSONL file, gold records and result records alike.

    A record with "status" at its top is a result record: its text may be absent (`Document.text` is then ""), and a
    "gold" that came through the run with it is carried. Offsets are code points. `InputError` names the line when JSON,
    a key, an id that stands twice, or a span is wrong, or when "text" is missing.
    """
    return common.corpus(_found(path, needs_text=True), needs_text=False)


def predictions(path: Path) -> Iterator[Document]:
    """The documents of a JSONL file that need no text: result records of `facetcode run`, or those of another system in
    the shape of gold records. Without a text only the order of offsets is checked. Errors as in `read`."""
    return common.corpus(_found(path, needs_text=False), needs_text=False)


def write(documents: Iterable[Document], path: Path, *, own: bool = False) -> None:
    """Gold records, one a line. A document with spans but without text (a prediction) is written without "text" and is
    read back by `predictions` only. `own` as in `common.write_lines`. `InputError` when a document or the path is
    wrong."""
    common.write_lines(path, (_record(document) for document in common.to_write(documents, needs_text=False)), own=own)


def _found(path: Path, needs_text: bool) -> Iterator[tuple[str, Document]]:
    for where, record in common.lines(path):
        yield where, _document(record, where, needs_text)


def _document(record: Record, where: str, needs_text: bool) -> Document:
    result = isinstance(record.get("status"), str)
    text = (
        common.required(record, "text", where) if needs_text and not result else common.optional(record, "text", where)
    )
    parts = common.objects(record, "entities", where)
    names = Names(part["id"] for part in parts if isinstance(part.get("id"), str))
    entities = [_entity(part, where, names, result) for part in parts]
    for entity, part in zip(entities, parts, strict=True):
        words = common.optional(part, "text", where)
        if words and text and words != entity.covered(text):
            raise InputError(f"{where}: the words of {printable(entity.id)} are not those at its offsets")
    ties = common.objects(record, "relations", where)
    links = Names(tie["id"] for tie in ties if isinstance(tie.get("id"), str))
    relations = [_relation(tie, where, links) for tie in ties]
    carried = common.gathered(record, _RESULT if result else _KNOWN)
    inner = {
        "entity_keys": _unknown(zip((entity.id for entity in entities), parts, strict=True), _ENTITY),
        "relation_keys": _unknown(zip((relation.id for relation in relations), ties, strict=True), _RELATION),
    }
    if not result and record.get("gold") is not None:
        gold = common.an_object(record, "gold", where)
        inner["gold_keys"] = _unknown([("", gold)], codings.KEYS)
    return Document(
        id=common.required(record, "id", where),
        text=text,
        entities=tuple(entities),
        relations=tuple(relations),
        coding=codings.coding(record, where) if result else codings.optional_coding(record, "gold", where),
        author=common.optional(record, "author", where),
        carried=carried | {key: value for key, value in inner.items() if value},
    )


def _unknown(parts: Iterable[tuple[str, Record]], known: frozenset[str]) -> Record:
    found = {name: {key: value for key, value in part.items() if key not in known} for name, part in parts}
    return {name: more for name, more in found.items() if more}


def _entity(part: Record, where: str, names: Names, result: bool) -> Entity:
    name = common.required(part, "id", where) if "id" in part else names.next("T")
    attributes = common.attributes(part.get("attributes", {}), f"{where}: {printable(name)}")
    for key in ("value", "assertion"):
        if part.get(key) is None:
            continue
        value = common.required(part, key, where)
        if attributes.get(key, value) != value:
            raise InputError(f"{where}: {printable(name)} has two different attributes {key}")
        if value or not result:  # a result record says "" for nothing
            attributes[key] = value
    return Entity(name, common.label(part.get("label"), where), _fragments(part, where), attributes)


def _fragments(part: Record, where: str) -> tuple[Fragment, ...]:
    pairs = part["fragments"] if "fragments" in part else [[part.get("start"), part.get("end")]]
    if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
        raise InputError(f"{where}: fragments are not a list of pairs")
    return tuple((common.offset(start, where), common.offset(end, where)) for start, end in pairs)


def _relation(tie: Record, where: str, links: Names) -> Relation:
    name = common.required(tie, "id", where) if "id" in tie else links.next("R")
    head, tail = common.required(tie, "head", where), common.required(tie, "tail", where)
    return Relation(name, common.label(tie.get("label"), where), head, tail)


def _record(document: Document) -> Record:
    inner = _inner_keys(document)
    carried = {key: value for key, value in document.carried.items() if not inner.get(key)}
    record: Record = {"id": document.id}
    if document.text or not document.entities:
        record["text"] = document.text
    if document.author:
        record["author"] = document.author
    if document.entities:
        record["entities"] = [_part(entity, document.text, inner) for entity in document.entities]
    if document.relations:
        record["relations"] = [
            {"id": r.id, "label": r.label, "head": r.head, "tail": r.tail} | inner["relation_keys"].get(r.id, {})
            for r in document.relations
        ]
    if document.coding is not None:
        record["gold"] = codings.plain(document.coding) | inner["gold_keys"].get("", {})
    return common.spread(record, carried, _RESERVED)


def _part(entity: Entity, text: str, inner: Mapping[str, dict[str, Record]]) -> Record:
    part: Record = {"id": entity.id, "label": entity.label}
    if len(entity.fragments) == 1:
        part |= {"start": entity.start, "end": entity.end}
    else:
        part["fragments"] = [list(fragment) for fragment in entity.fragments]
    if text:
        part["text"] = entity.covered(text)
    more = dict(entity.attributes)
    part |= {key: more.pop(key) for key in ("value", "assertion") if key in more}
    return part | ({"attributes": more} if more else {}) | inner["entity_keys"].get(entity.id, {})


def _inner_keys(document: Document) -> dict[str, dict[str, Record]]:
    """What goes back into the parts of the record; what only looks like it is carried as any other key."""
    owners = (
        ({entity.id for entity in document.entities}, _ENTITY),
        ({relation.id for relation in document.relations}, _RELATION),
        ({""} if document.coding else set(), codings.KEYS),
    )
    found: dict[str, dict[str, Record]] = {}
    for key, (names, known) in zip(_INNER, owners, strict=True):
        parts = document.carried.get(key)
        good = (
            isinstance(parts, dict) and parts.keys() <= names and all(_is_more(more, known) for more in parts.values())
        )
        found[key] = dict(parts) if isinstance(parts, dict) and good else {}
    return found


def _is_more(more: Any, known: frozenset[str]) -> bool:
    return isinstance(more, dict) and bool(more) and not more.keys() & known
