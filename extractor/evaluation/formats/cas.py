"""UIMA CAS as XMI or JSON (INCEpTION, WebAnno, DKPro), one file a note, through dkpro-cassis (`facetcode[formats]`).

We write `custom.FacetcodeEntity` (label, entityId, fragmentOf, assertion, role, value; further attributes as a JSON
object in `attributes`), `custom.FacetcodeRelation` (Governor, Dependent, label, relationId) and one
`custom.FacetcodeDocument` whose `data` is a JSON object of id, author, gold and what is carried. A further piece of a
discontinuous span is an entity of its own with `fragmentOf` set to the entityId of the first piece.

Other type systems are read by their layers: names, or patterns with *, of annotation types. Types with Governor and
Dependent are relations (Governor is the head); others with a feature `label` or `value` are spans (others that are
named without * as well, with the name of the type for a label), and their further features of simple types are
attributes. Links, arrays and annotations of other layers are left out.

Offsets in the files are UTF-16 code units; cassis turns them into code points and back. XML holds no control characters
but tab and line ends: a note with others can be written as JSON only.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import codings, common
from extractor.evaluation.formats.common import Names, Record
from extractor.evaluation.records import ATTRIBUTES, Document, Entity, Fragment, Relation

LAYERS = ("custom.*", "webanno.custom.*", "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity")
TYPE_SYSTEM = "TypeSystem.xml"

_ANNOTATION = "uima.tcas.Annotation"
_STRING = "uima.cas.String"
_ENTITY, _RELATION, _DOCUMENT = (f"custom.Facetcode{name}" for name in ("Entity", "Relation", "Document"))
_SIMPLE = frozenset(f"uima.cas.{name}" for name in ("String", "Integer", "Long", "Short", "Byte", "Boolean"))
_OWN = frozenset({"entityId", "fragmentOf", "attributes"})
_DATA = frozenset({"id", "author", "gold"})
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Kind = Literal["xmi", "json"]


def read_xmi(path: Path, layers: Sequence[str] = LAYERS, type_system: Path | None = None) -> Iterator[Document]:
    """The documents of a folder of .xmi files (subfolders included, in order of their names), or of one .xmi file.

    The type system is the file given, else the TypeSystem.xml beside the .xmi or in the folder. The id is the one that
    we wrote, else the path below the folder without suffix. Offsets are code points. `InputError` names the file when
    cassis is not installed or cannot read it, when it has no text or no type system, when a layer that is named without
    * is not in it, or when an id or a span is wrong.
    """
    return common.corpus(_found(path, "xmi", layers, type_system))


def read_json(path: Path, layers: Sequence[str] = LAYERS) -> Iterator[Document]:
    """The documents of a folder of .json files, or of one .json file, each with its type system in it. Ids and errors
    as in `read_xmi`."""
    return common.corpus(_found(path, "json", layers, None))


def write_xmi(documents: Iterable[Document], path: Path) -> None:
    """A folder of .xmi files with one TypeSystem.xml, which must be new or empty. `InputError` when a document is wrong
    or holds characters that XML cannot hold."""
    cassis = _cassis()
    place = common.new_folder(path)
    types = _types(cassis)
    common.put(path / TYPE_SYSTEM, str(types.to_xml()).encode())
    for document in common.to_write(documents):
        for text in _texts(document):
            if _NO_XML.search(text):
                what = "holds control characters, which XML cannot hold: use cas-json"
                raise InputError(f"document {printable(document.id)}: {what}")
        base = place(document.id)
        common.put(base.parent / f"{base.name}.xmi", str(_cas(cassis, types, document).to_xmi()).encode())


def write_json(documents: Iterable[Document], path: Path) -> None:
    """A folder of .json files, which must be new or empty. `InputError` when a document is wrong."""
    cassis = _cassis()
    place = common.new_folder(path)
    types = _types(cassis)
    for document in common.to_write(documents):
        base = place(document.id)
        common.put(base.parent / f"{base.name}.json", str(_cas(cassis, types, document).to_json()).encode())


def _cassis() -> Any:
    # By name: cassis is an optional extra and brings no type marker, so that mypy needs no exception for it.
    try:
        return importlib.import_module("cassis")
    except ImportError:
        raise InputError("UIMA CAS needs dkpro-cassis: pip install facetcode[formats]") from None


# -- reading -------------------------------------------------------------------------------------------------------


def _found(path: Path, kind: Kind, layers: Sequence[str], given: Path | None) -> Iterator[tuple[str, Document]]:
    cassis = _cassis()
    root = path if path.is_dir() else path.parent
    files = sorted(file for file in path.rglob(f"*.{kind}") if file.name[0] != ".") if path.is_dir() else [path]
    if not files:
        raise InputError(f"{common.shown(path)}: no .{kind} files in this folder")
    loaded: dict[Path, Any] = {}
    for file in files:
        where = common.shown(file)
        common.read_bytes(file)  # a file that is not there or not readable is told in our words
        types = _type_system(cassis, file, root, given, loaded) if kind == "xmi" else None
        yield where, _document(_load(cassis, file, types, where), file, root, layers, where)


def _type_system(cassis: Any, file: Path, root: Path, given: Path | None, loaded: dict[Path, Any]) -> Any:
    places = [given] if given else [file.parent / TYPE_SYSTEM, root / TYPE_SYSTEM]
    found = next((place for place in places if place.is_file()), None)
    if found is None:
        raise InputError(f"{common.shown(file)}: there is no {TYPE_SYSTEM} beside it")
    if found not in loaded:
        try:
            with found.open("rb") as stream:
                loaded[found] = cassis.load_typesystem(stream)
        except Exception:  # cassis and lxml raise what they like, and their messages may quote the file
            raise InputError(f"{common.shown(found)}: not a type system that cassis can read") from None
    return loaded[found]


def _load(cassis: Any, file: Path, types: Any, where: str) -> Any:
    try:
        with warnings.catch_warnings(), file.open("rb") as stream:
            # cassis keeps an offset that is in the middle of a character, or beyond the text, and only warns.
            warnings.simplefilter("ignore")
            warnings.filterwarnings("error", message="Not mapping external offset")
            if types is None:
                return cassis.load_cas_from_json(stream)
            return cassis.load_cas_from_xmi(stream, typesystem=types)
    except UserWarning:
        raise InputError(f"{where}: an offset is beyond the text or in the middle of a character") from None
    except Exception as error:  # as above
        raise InputError(f"{where}: not a CAS that cassis can read ({type(error).__name__})") from None


def _document(cas: Any, file: Path, root: Path, layers: Sequence[str], where: str) -> Document:
    text = cas.sofa_string
    if not isinstance(text, str):
        raise InputError(f"{where}: no text")
    data = _data(cas, where)
    spans, ties = _layers(cas, layers, where)
    entities, ids = _entities(spans, where)
    return Document(
        id=common.optional(data, "id", where) or file.relative_to(root).with_suffix("").as_posix(),
        text=text,
        entities=tuple(entities),
        relations=tuple(_relations(ties, ids, where)),
        coding=codings.optional_coding(data, "gold", where),
        author=common.optional(data, "author", where),
        carried=common.gathered(data, _DATA),
    )


def _data(cas: Any, where: str) -> Record:
    if not cas.typesystem.contains_type(_DOCUMENT):
        return {}
    found = cas.select(_DOCUMENT)
    data = common.parsed(found[0].data or "{}", where) if found else {}
    if not isinstance(data, dict):
        raise InputError(f"{where}: the data of {_DOCUMENT} are not an object")
    return data


def _layers(cas: Any, layers: Sequence[str], where: str) -> tuple[list[Any], list[Any]]:
    """The annotations of the layers, spans and relations, in the order of their numbers in the file."""
    for layer in layers:
        if "*" not in layer and layer not in LAYERS and not cas.typesystem.contains_type(layer, match_exactly=True):
            raise InputError(f"{where}: no layer {printable(layer)}")
    spans: list[Any] = []
    ties: list[Any] = []
    for kind in cas.typesystem.get_types():
        chosen = kind.name != _DOCUMENT and any(fnmatchcase(kind.name, layer) for layer in layers)
        if not chosen or not cas.typesystem.is_instance_of(kind, _ANNOTATION):
            continue
        features = {feature.name for feature in kind.all_features}
        own = [found for found in cas.select(kind.name) if found.type.name == kind.name]  # not those of its subtypes
        if {"Governor", "Dependent"} <= features:
            ties.extend(own)
        elif features & {"label", "value"} or kind.name in layers:
            spans.extend(own)
    return sorted(spans, key=_number), sorted(ties, key=_number)


def _number(annotation: Any) -> int:
    return int(annotation.xmiID)


def _entities(spans: Sequence[Any], where: str) -> tuple[list[Entity], dict[int, str]]:
    names = Names(span.entityId for span in spans if _value(span, "entityId"))
    ids: dict[int, str] = {}
    pieces: dict[str, list[Fragment]] = {}
    firsts: list[tuple[str, Any]] = []
    for span in spans:
        name = _value(span, "fragmentOf") or _value(span, "entityId") or names.next("T")
        ids[_number(span)] = name
        pieces.setdefault(name, []).append((common.offset(span.begin, where), common.offset(span.end, where)))
        if not _value(span, "fragmentOf"):
            firsts.append((name, span))
    if pieces.keys() - {name for name, _ in firsts}:
        raise InputError(f"{where}: a fragment is of an entity that is not there")
    if len(pieces) < len(firsts):
        raise InputError(f"{where}: an entityId is there twice")
    return [_entity(name, span, pieces[name], where) for name, span in firsts], ids


def _entity(name: str, span: Any, pieces: list[Fragment], where: str) -> Entity:
    features = {feature.name: feature.rangeType.name for feature in span.type.all_features}
    layer = next((key for key in ("label", "value") if key in features), "")
    label = _value(span, layer) if layer else span.type.short_name
    attributes: dict[str, str] = {}
    if _value(span, "attributes"):
        at = f"{where}: {printable(name)}"
        attributes = common.attributes(common.parsed(span.attributes, at), at) if span.type.name == _ENTITY else {}
    left_out = {layer, "begin", "end", "sofa"} | (_OWN if span.type.name == _ENTITY else set())
    for key, kind in features.items():
        value = getattr(span, key)
        if kind in _SIMPLE and key not in left_out and value is not None:
            attributes[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return Entity(name, label, tuple(sorted(pieces)), attributes)


def _value(annotation: Any, feature: str) -> str:
    value = getattr(annotation, feature, None)
    return value if isinstance(value, str) else ""


def _relations(ties: Sequence[Any], ids: dict[int, str], where: str) -> Iterator[Relation]:
    names = Names(tie.relationId for tie in ties if _value(tie, "relationId"))
    for tie in ties:
        if tie.Governor is None or tie.Dependent is None:
            raise InputError(f"{where}: a relation has no Governor or no Dependent")
        head, tail = ids.get(_number(tie.Governor)), ids.get(_number(tie.Dependent))
        if head is None or tail is None:
            continue  # between annotations of other layers
        label = _value(tie, "label") or _value(tie, "value")
        yield Relation(_value(tie, "relationId") or names.next("R"), label, head, tail)


# -- writing -------------------------------------------------------------------------------------------------------


def _types(cassis: Any) -> Any:
    types = cassis.TypeSystem()
    for name, features in {
        _ENTITY: ("label", "entityId", "fragmentOf", *ATTRIBUTES, "attributes"),
        _RELATION: ("label", "relationId"),
        _DOCUMENT: ("data",),
    }.items():
        made = types.create_type(name, _ANNOTATION)
        for feature in features:
            types.create_feature(made, feature, _STRING)
    for end in ("Governor", "Dependent"):
        types.create_feature(types.get_type(_RELATION), end, types.get_type(_ENTITY))
    return types


def _texts(document: Document) -> Iterator[str]:
    """All that goes into the file as it is (what goes in as JSON is escaped)."""
    yield document.text
    for entity in document.entities:
        yield entity.id + entity.label
        yield "".join(value for key, value in entity.attributes.items() if key in ATTRIBUTES)
    for tie in document.relations:
        yield tie.id + tie.label


def _cas(cassis: Any, types: Any, document: Document) -> Any:
    span, tie_type, whole = (types.get_type(name) for name in (_ENTITY, _RELATION, _DOCUMENT))
    cas = cassis.Cas(typesystem=types, sofa_string=document.text)
    data: Record = {"id": document.id} | ({"author": document.author} if document.author else {})
    if document.coding is not None:
        data["gold"] = codings.plain(document.coding)
    held = common.escaped(common.spread(data, document.carried, _DATA))
    cas.add(whole(begin=0, end=len(document.text), data=held))
    first: dict[str, Any] = {}
    for entity in document.entities:
        more = {key: value for key, value in entity.attributes.items() if key not in ATTRIBUTES}
        known = {key: value for key, value in entity.attributes.items() if key in ATTRIBUTES}
        if more:
            known["attributes"] = common.escaped(more)
        start, end = entity.fragments[0]
        first[entity.id] = span(begin=start, end=end, label=entity.label, entityId=entity.id, **known)
        cas.add(first[entity.id])
        for start, end in entity.fragments[1:]:
            cas.add(span(begin=start, end=end, label=entity.label, fragmentOf=entity.id))
    for tie in document.relations:
        head, tail = first[tie.head], first[tie.tail]
        place = {"begin": tail.begin, "end": tail.end}  # INCEpTION anchors a relation at its Dependent
        cas.add(tie_type(**place, Governor=head, Dependent=tail, label=tie.label, relationId=tie.id))
    return cas
