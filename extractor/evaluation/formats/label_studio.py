"""Label Studio: a JSON array of tasks (or one task a line), with spans of type `labels`.

A task is `{"data": {"text", ...}, "annotations": [{"result": [...]}], "predictions": [{"result": [...]}]}`. In a
result, items of type `labels` are spans, items of type `choices` or `textarea` with the id of a span are its attributes
(named by `from_name`), items of type `relation` link two spans. Discontinuous spans: see `fragments`. Further items are
carried as they are and written back. We keep id, author and gold in `data`; unknown keys of the task and of `data` are
carried.

Offsets are code points: that is what we write, what the Python SDK slices, and what the browser has exported since it
was mended ("store code points instead of js length"). Older browser exports count UTF-16 code units, in which an emoji
is two. Nothing in the file says which, so that the words of the spans (`value.text`) decide where a text holds such
characters: the reading that fits all spans of an annotation is taken, code points first; where no reading fits all,
each span takes the one that fits it. Without words it is code points.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import codings, common, fragments
from extractor.evaluation.formats.common import Names, Record
from extractor.evaluation.records import Document, Entity, Fragment, Relation

_TASK = frozenset({"data", "annotations", "predictions"})
_DATA = frozenset({"id", "text", "author", "gold"})
_ITEMS = "label_studio"  # in `carried`: items of other types
_CHOICES = frozenset({"assertion", "role"})  # attributes with few values; others are written as text areas
_TEXT = "text"  # the name of the object tag that spans belong to


def read(path: Path, completed_by: int | None = None) -> Iterator[Document]:
    """The documents of a Label Studio export (JSON, not JSON-MIN).

    Of several annotations of a task the one by `completed_by` is taken, else the one marked as ground truth, else the
    first; of a task without annotations the first prediction. Tasks whose annotations were all skipped
    (`was_cancelled`), and tasks that `completed_by` did not annotate, are left out. The id is data.id, else the id of
    the task, else the name of the file and the number of the task. `InputError` names the file and the task when JSON,
    a key, an id that stands twice, or a span is wrong, or when data.text is missing.
    """
    return common.corpus(_found(path, completed_by))


def write(documents: Iterable[Document], path: Path) -> None:
    """A JSON array of tasks with one annotation each. `InputError` when a document or the path is wrong."""
    common.write_array(path, (_task(document) for document in common.to_write(documents)))


# -- reading -------------------------------------------------------------------------------------------------------


def _found(path: Path, completed_by: int | None) -> Iterator[tuple[str, Document]]:
    for number, (where, task) in enumerate(_tasks(path), start=1):
        result = _result(task, where, completed_by)
        if result is not None:
            yield where, _document(task, result, where, f"{path.stem}-{number}")


def _tasks(path: Path) -> Iterator[tuple[str, Record]]:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from common.lines(path)
        return
    tasks = common.load(path)
    if not isinstance(tasks, list):
        raise InputError(f"{common.shown(path)}: not a JSON array of tasks")
    for number, task in enumerate(tasks, start=1):
        where = f"{common.shown(path)} task {number}"
        if not isinstance(task, dict):
            raise InputError(f"{where}: not a JSON object")
        yield where, task


def _result(task: Record, where: str, completed_by: int | None) -> list[Record] | None:
    annotations = common.objects(task, "annotations", where)
    kept = [one for one in annotations if not one.get("was_cancelled")]
    if completed_by is not None:
        kept = [one for one in kept if _by(one) == completed_by]
    if annotations or completed_by is not None:
        chosen = next((one for one in kept if one.get("ground_truth")), kept[0] if kept else None)
    else:
        chosen = next(iter(common.objects(task, "predictions", where)), {})
    return None if chosen is None else common.objects(chosen, "result", where)


def _by(annotation: Record) -> object:
    user = annotation.get("completed_by")
    return user.get("id") if isinstance(user, dict) else user


def _document(task: Record, result: list[Record], where: str, otherwise: str) -> Document:
    data = common.an_object(task, "data", where)
    text = common.required(data, "text", where)
    spans = [item for item in result if item.get("type") == "labels"]
    ids = [common.identifier(item.get("id"), where, "span") for item in spans]
    found: dict[str, dict[str, str]] = {name: {} for name in ids}
    ties: list[Record] = []
    others: list[Record] = []
    for item in result:
        name = item.get("id")
        if item.get("type") == "relation":
            ties.append(item)
        elif item.get("type") in ("choices", "textarea") and isinstance(name, str) and name in found:
            _add(found[name], item, f"{where}: {printable(name)}")
        elif item.get("type") != "labels":
            others.append(item)
    places = _places(spans, ids, text, where)
    entities = [
        Entity(name, _label(item, f"{where}: {printable(name)}"), (place,), found[name])
        for name, item, place in zip(ids, spans, places, strict=True)
    ]
    links = Names(tie["id"] for tie in ties if isinstance(tie.get("id"), str))
    whole, relations = fragments.joined(entities, [_relation(tie, links, where) for tie in ties], where)
    more = {key: value for key, value in data.items() if key not in _DATA}
    carried = common.gathered(task, _TASK | ({"id"} if "id" not in data else set()))
    return Document(
        id=common.identifier(data.get("id", task.get("id", otherwise)), where, "task"),
        text=text,
        entities=whole,
        relations=relations,
        coding=codings.optional_coding(data, "gold", where),
        author=common.optional(data, "author", where),
        carried=carried | ({"data": more} if more else {}) | ({_ITEMS: others} if others else {}),
    )


def _label(item: Record, where: str) -> str:
    labels = common.strings(common.an_object(item, "value", where), "labels", where)
    if len(labels) != 1:
        raise InputError(f"{where}: has {len(labels)} labels, one was expected")
    return labels[0]


def _add(attributes: dict[str, str], item: Record, where: str) -> None:
    name = common.label(item.get("from_name"), where)
    value = common.an_object(item, "value", where)
    if item["type"] == "choices":
        values = common.strings(value, "choices", where)
        if len(values) > 1:
            raise InputError(f"{where}: has {len(values)} choices for {printable(name)}, one was expected")
    elif isinstance(value.get("text"), str):
        values = (common.required(value, "text", where),)
    else:
        values = common.strings(value, "text", where)
    if values and name in attributes:
        raise InputError(f"{where}: has the attribute {printable(name)} twice")
    if values:
        attributes[name] = "\n".join(values)


def _relation(tie: Record, links: Names, where: str) -> Relation:
    name = tie["id"] if isinstance(tie.get("id"), str) else links.next("R")
    labels = common.strings(tie, "labels", where) if tie.get("labels") is not None else ()
    if len(labels) > 1:
        raise InputError(f"{where}: a relation has {len(labels)} labels, one was expected")
    head, tail = (common.identifier(tie.get(key), where, "span") for key in ("from_id", "to_id"))
    if tie.get("direction") == "left":
        head, tail = tail, head
    return Relation(name, labels[0] if labels else "", head, tail)


def _places(spans: Sequence[Record], ids: Sequence[str], text: str, where: str) -> list[Fragment]:
    """Where the spans stand, in code points, under the reading that their words fit."""
    points = {} if text.isascii() else _code_points(text)
    readings: list[list[Fragment | None]] = []
    for item, name in zip(spans, ids, strict=True):
        at = f"{where}: {printable(name)}"
        value = common.an_object(item, "value", at)
        start, end = common.offset(value.get("start"), at), common.offset(value.get("end"), at)
        words = value.get("text")
        as_units = (points[start], points[end]) if start in points and end in points else None
        both: list[Fragment | None] = [(start, end), as_units]
        if isinstance(words, str):
            both = [place if place and _fits(words, text[place[0] : place[1]]) else None for place in both]
        if both == [None, None]:
            raise InputError(f"{at}: its words are not those at its offsets, whether in code points or UTF-16 units")
        readings.append(both)
    for reading in (0, 1):
        places = [both[reading] for both in readings]
        if None not in places:
            return [place for place in places if place is not None]
    return [next(place for place in both if place is not None) for both in readings]


def _code_points(text: str) -> dict[int, int]:
    """From offsets in UTF-16 code units to offsets in code points. The middle of a character is not in it."""
    units = accumulate((2 if ord(character) > 0xFFFF else 1 for character in text), initial=0)
    return {unit: point for point, unit in enumerate(units)}


def _fits(words: str, covered: str) -> bool:
    return words == covered or _one_line(words) == _one_line(covered)


def _one_line(words: str) -> str:
    # The browser writes a line end inside a span as a backslash and an n.
    return words.replace("\\n", "\n").replace("\r", "\n")


# -- writing -------------------------------------------------------------------------------------------------------


def _task(document: Document) -> Record:
    entities, relations = fragments.split(document)
    carried = dict(document.carried)
    data = carried.get("data")
    more = carried.pop("data") if isinstance(data, dict) and data and not data.keys() & _DATA else {}
    items = carried.get(_ITEMS)
    ids = {entity.id for entity in entities}
    others = carried.pop(_ITEMS) if isinstance(items, list) and items and all(_is_other(i, ids) for i in items) else []
    result: list[Record] = []
    for entity in entities:
        result.extend(_items(entity, document.text))
    result.extend(
        {
            "id": relation.id,
            "from_id": relation.head,
            "to_id": relation.tail,
            "type": "relation",
            "direction": "right",
            "labels": [relation.label] if relation.label else [],
        }
        for relation in relations
    )
    ours: Record = {"id": document.id, "text": document.text}
    if document.author:
        ours["author"] = document.author
    if document.coding is not None:
        ours["gold"] = codings.plain(document.coding)
    task: Record = {"data": ours | more, "annotations": [{"result": result + others}]}
    return common.spread(task, carried, _TASK | {_ITEMS})


def _is_other(item: object, ids: set[str]) -> bool:
    """Whether the reader would carry it as an item of another type."""
    if not isinstance(item, dict) or item.get("type") in ("labels", "relation"):
        return False
    return item.get("type") not in ("choices", "textarea") or item.get("id") not in ids


def _items(entity: Entity, text: str) -> Iterator[Record]:
    place: Record = {"start": entity.start, "end": entity.end, "text": entity.covered(text)}
    base: Record = {"id": entity.id, "to_name": _TEXT}
    yield base | {"from_name": "label", "type": "labels", "value": place | {"labels": [entity.label]}}
    for name, value in entity.attributes.items():
        if name in _CHOICES:
            yield base | {"from_name": name, "type": "choices", "value": place | {"choices": [value]}}
        else:
            yield base | {"from_name": name, "type": "textarea", "value": place | {"text": [value]}}
