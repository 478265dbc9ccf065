"""An annotated corpus as it lies on disk: any format, a `gold.jsonl` beside the spans, other people's labels.

A folder, or folders in it, may hold `gold.jsonl` (one object a note: id, author, gold): the document layer of the notes
beside and below it. A corpus that is not ours maps its labels with a TOML file:

    [labels]                 # theirs -> ours; what is not named keeps its label
    VERTEBRA = "Level"
    PROBLEM = ""             # left out
    [attributes]             # names of attributes, in the same way
    certainty = "assertion"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import Field, ValidationError

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation import formats
from extractor.evaluation.formats import codings, common
from extractor.evaluation.records import ATTRIBUTES, LABELS, Coding, Document, Entity
from extractor.patterns import Row

GOLD = "gold.jsonl"


class LabelMap(Row):
    """A mapping file. An empty string leaves a label or an attribute out."""

    labels: dict[str, str] = Field(default_factory=dict)
    attributes: dict[str, str] = Field(default_factory=dict)


def label_map(path: Path) -> LabelMap:
    """The mapping of a TOML file; `InputError` names the file when it cannot be read or holds anything else."""
    try:
        mapping = LabelMap.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise InputError(f"{common.shown(path)}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{common.shown(path)}: not TOML ({error})") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{common.shown(path)}: {printable(where)}: {first['msg']}") from None
    if unknown := sorted(set(mapping.labels.values()) - {*LABELS, ""}):
        raise InputError(f"{common.shown(path)}: {printable(unknown[0])} is none of {', '.join(LABELS)}")
    return mapping


def corpus(path: Path, form: str | None = None, mapping: LabelMap | None = None) -> Iterator[Document]:
    """The documents of a corpus, each with its document layer where the corpus has one.

    Raises `InputError` for what `formats.read` raises it, for two notes with one id, for a gold without its note, and
    for a label that is neither ours nor mapped.
    """
    mapping = mapping or LabelMap()
    files = _gold_files(path)
    gold = _gold(files)
    layered = bool(gold)
    seen: set[str] = set()
    for document in formats.read(path, form):
        if layered:
            id_ = document.id.rpartition("/")[2]
            if id_ not in gold:
                raise InputError(f"{common.shown(path)}: {printable(id_)} is not in {GOLD}")
            author, coding = gold.pop(id_)
            document = replace(document, id=id_, author=author or document.author, coding=coding)
        if document.id in seen:
            raise InputError(f"{common.shown(path)}: the id {printable(document.id)} is there twice")
        seen.add(document.id)
        yield _mapped(document, mapping, common.shown(path))
    if gold and files[0].is_relative_to(path):
        raise InputError(f"{common.shown(path)}: {printable(next(iter(gold)))} of {GOLD} has no note")


def predictions(path: Path, mapping: LabelMap | None = None, form: str | None = None) -> Iterator[Document]:
    """The documents of a predictions file: results of `facetcode run`, or any corpus format."""
    if path.is_dir() or form is not None or formats.guess(path) != "native":
        yield from corpus(path, form, mapping)
        return
    for document in formats.native.predictions(path):
        entities = (replace(entity, attributes=_ours(entity.attributes)) for entity in document.entities)
        yield _mapped(replace(document, entities=tuple(entities)), mapping or LabelMap(), common.shown(path))


def _ours(attributes: Mapping[str, str]) -> Mapping[str, str]:
    """Results have attributes of their own (volume, noun ...), which no annotator marks."""
    return {name: value for name, value in attributes.items() if name in ATTRIBUTES}


def _gold_files(path: Path) -> list[Path]:
    """The files below a folder, else the one beside the folders of a split."""
    if not path.is_dir():
        return []
    beside = path.absolute().parent / GOLD
    return sorted(path.rglob(GOLD)) or ([beside] if beside.is_file() else [])


def _gold(files: Sequence[Path]) -> dict[str, tuple[str, Coding]]:
    found: dict[str, tuple[str, Coding]] = {}
    records = (record for file in files for record in common.lines(file))
    for where, record in records:
        id_ = common.required(record, "id", where)
        if id_ in found:
            raise InputError(f"{where}: the id {printable(id_)} is there twice")
        coding = codings.optional_coding(record, "gold", where)
        if coding is None:
            raise InputError(f'{where}: no key "gold"')
        found[id_] = (common.optional(record, "author", where), coding)
    return found


def _mapped(document: Document, mapping: LabelMap, where: str) -> Document:
    entities = tuple(_entities(document.entities, mapping, f"{where}: {printable(document.id)}"))
    kept = {entity.id for entity in entities}
    relations = tuple(r for r in document.relations if r.head in kept and r.tail in kept)
    return replace(document, entities=entities, relations=relations)


def _entities(entities: Iterable[Entity], mapping: LabelMap, where: str) -> Iterator[Entity]:
    for entity in entities:
        label = mapping.labels.get(entity.label, entity.label)
        if not label:
            continue
        if label not in LABELS:
            raise InputError(
                f"{where}: {printable(entity.id)} has a label that is neither ours nor mapped: {printable(label)}"
            )
        yield replace(entity, label=label, attributes=_attributes(entity.attributes, mapping.attributes))


def _attributes(attributes: Mapping[str, str], names: Mapping[str, str]) -> Mapping[str, str]:
    if not names:
        return attributes
    renamed = ((names.get(name, name), value) for name, value in attributes.items())
    return {name: value for name, value in renamed if name}
