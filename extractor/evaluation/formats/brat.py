r"""brat standoff: a folder with NAME.txt and NAME.ann for each note, and NAME.json for what brat has no place for.

    T1<TAB>Level 0 4;8 12<TAB>L4-5 L5S1       a span; several pairs of offsets make it discontinuous
    A1<TAB>assertion T1 performed             an attribute (no value: ""); M lines are read as A lines
    R1<TAB>level-side Arg1:T1 Arg2:T2         a relation
    #1<TAB>AnnotatorNotes T1<TAB>value=L4-L5  free text: attributes of brat are enumerations and hold no blanks

The attribute `value`, and `assertion` and `role` when brat cannot hold them, go into such notes; other attributes that
brat cannot hold go into notes of the type FacetcodeAttribute. In notes a backslash, tab or line end is written \uXXXX.
E, N and * lines, other notes, and A, M and R lines about something else than spans are kept as they are in
`carried["brat"]` and written back.

NAME.json is a JSON object: "status", "lines", "claim", "summary", "queries", "why" (the coding), "author", "id" where
it is not NAME, "ids" where ids of spans or relations are not those of the .ann. Other keys are carried.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from extractor.batch.sources import printable
from extractor.errors import InputError
from extractor.evaluation.formats import codings, common
from extractor.evaluation.formats.common import Names, Record
from extractor.evaluation.records import ATTRIBUTES, Document, Entity, Fragment, Relation

_OFTEN = "AnnotatorNotes"
_OTHER = "FacetcodeAttribute"
_SIDECAR = codings.KEYS | {"id", "author", "ids", "brat"}
_SPAN_ID = re.compile(r"T[0-9]+[A-Za-z0-9_.-]*")
_RELATION_ID = re.compile(r"R[0-9]+[A-Za-z0-9_.-]*")
_LINE_ENDS = "\t\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"  # what ends a line or a column for some reader of .ann
_BLANKED = str.maketrans(dict.fromkeys(_LINE_ENDS, " "))
_ESCAPED = str.maketrans({character: f"\\u{ord(character):04x}" for character in _LINE_ENDS + "\\"})
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


def read(path: Path) -> Iterator[Document]:
    """The documents of a folder (subfolders included, in order of their names), or of one .ann or .txt file.

    A note is what has an .ann file. Its id is the path below the folder without suffix, unless the .json beside it says
    another. Offsets are code points of the .txt as it stands, CRLF and a byte order mark included. `InputError` names
    the file and the line when a line, an id or a span is wrong, when the words of a span are not those of the text, or
    when the .txt is missing.
    """
    return common.corpus(_found(path))


def write(documents: Iterable[Document], path: Path) -> None:
    """A folder, which must be new or empty. Ids that are no file names are escaped. `InputError` when a document is
    wrong or when brat cannot hold a label (it may not be empty or hold blanks)."""
    place = common.new_folder(path)
    for document in common.to_write(documents):
        base = place(document.id)
        annotations, sidecar = _written(document, base.name)
        common.put(base.parent / f"{base.name}.txt", document.text.encode())
        common.put(base.parent / f"{base.name}.ann", annotations.encode())
        if sidecar:
            common.put(base.parent / f"{base.name}.json", f"{common.dumped(sidecar, indent=1)}\n".encode())


# -- reading -------------------------------------------------------------------------------------------------------


def _found(path: Path) -> Iterator[tuple[str, Document]]:
    if path.is_dir():
        files = sorted(file for file in path.rglob("*.ann") if file.name[0] != "." and file.is_file())
        if not files:
            raise InputError(f"{common.shown(path)}: no .ann files in this folder")
        root = path
    else:
        files, root = [path.with_suffix(".ann")], path.parent
    for file in files:
        yield common.shown(file), _document(file, file.relative_to(root).with_suffix("").as_posix())


def _document(file: Path, name: str) -> Document:
    note = file.with_suffix(".txt")
    annotations = common.unicode_of(common.read_bytes(file), common.shown(file))
    if not note.exists():
        raise InputError(f"{common.shown(file)}: there is no {printable(note.name)} beside it")
    text = common.unicode_of(common.read_bytes(note), common.shown(note))
    beside = file.with_suffix(".json")
    extra = common.load(beside) if beside.exists() else {}
    if not isinstance(extra, dict):
        raise InputError(f"{common.shown(beside)}: not a JSON object")
    reader = _Reader(text, common.shown(file))
    for number, line in enumerate(annotations.removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            reader.add(number, line.removesuffix("\r"))
    ids = common.attributes(extra.get("ids", {}), f'{common.shown(beside)}: key "ids"')
    where = common.shown(beside)
    more = common.gathered(extra, _SIDECAR)
    return Document(
        id=common.optional(extra, "id", where) or name,
        text=text,
        entities=tuple(reader.entities(ids)),
        relations=tuple(reader.relations(ids)),
        coding=codings.coding(extra, where) if extra.keys() & {"status", "lines", "claim"} else None,
        author=common.optional(extra, "author", where),
        carried=more | ({"brat": reader.raw()} if reader.raw() else {}),
    )


class _Reader:
    """The lines of one .ann file. Attributes may stand before their spans, so that they are looked at in the end."""

    def __init__(self, text: str, name: str) -> None:
        self._text = text
        self._name = name
        self._spans: dict[str, tuple[str, tuple[Fragment, ...]]] = {}
        self._attributes: dict[str, dict[str, str]] = {}
        self._ids: set[str] = set()
        self._later: list[tuple[int, str]] = []
        self._relations: list[Relation] = []
        self._raw: list[str] = []
        self._resolved = False

    def add(self, number: int, line: str) -> None:
        name = line.split("\t", 1)[0]
        if name[:1] not in tuple("TAMREN#*") or "\t" not in line:
            raise self._error(number, "not a line of brat standoff")
        if name[0] != "*":
            if name in self._ids:
                raise self._error(number, f"{printable(name)} is there twice")
            self._ids.add(name)
        if name[0] == "T":
            self._span(number, line)
        else:
            self._later.append((number, line))

    def entities(self, ids: dict[str, str]) -> Iterator[Entity]:
        self._resolve()
        for name, (label, fragments) in self._spans.items():
            yield Entity(ids.get(name, name), label, fragments, self._attributes[name])

    def relations(self, ids: dict[str, str]) -> Iterator[Relation]:
        self._resolve()
        for tie in self._relations:
            yield Relation(ids.get(tie.id, tie.id), tie.label, ids.get(tie.head, tie.head), ids.get(tie.tail, tie.tail))

    def raw(self) -> list[str]:
        self._resolve()
        return self._raw

    def _error(self, number: int, what: str) -> InputError:
        return InputError(f"{self._name} line {number}: {what}")

    def _span(self, number: int, line: str) -> None:
        name, _, rest = line.partition("\t")
        what, tab, words = rest.partition("\t")
        label, _, offsets = what.partition(" ")
        pairs = [pair.split(" ") for pair in offsets.split(";")]
        if not tab or not label or not all(len(pair) == 2 and all(map(_is_number, pair)) for pair in pairs):
            raise self._error(number, f"{printable(name)} is not written as a span")
        where = f"{self._name} line {number}"
        fragments = tuple((common.offset(int(a), where), common.offset(int(b), where)) for a, b in pairs)
        entity = Entity(name, label, fragments)
        common.validated(Document("", self._text, (entity,)), where)
        # brat writes a blank for a line end; tabs are blanked by us, because they would look like a further column.
        if words.translate(_BLANKED) != entity.covered(self._text).translate(_BLANKED):
            raise self._error(number, f"the words of {printable(name)} are not those of the text at its offsets")
        self._spans[name] = label, fragments
        self._attributes[name] = {}

    def _resolve(self) -> None:
        if self._resolved:
            return
        self._resolved = True
        for number, line in self._later:
            kept = {"A": self._attribute, "M": self._attribute, "R": self._relation, "#": self._note}.get(line[0])
            if kept is None or not kept(number, line):
                self._raw.append(line)

    def _attribute(self, number: int, line: str) -> bool:
        name, _, rest = line.partition("\t")
        words = rest.strip().split(" ", 2)
        if len(words) < 2:
            raise self._error(number, f"{printable(name)} is not written as an attribute")
        if not self._is_there(number, name, words[1]):
            return False
        self._set(number, words[1], words[0], words[2] if len(words) == 3 else "")
        return True

    def _relation(self, number: int, line: str) -> bool:
        name, _, rest = line.partition("\t")
        words = rest.strip().split(" ")
        roles = [word.partition(":") for word in words[1:]]
        if len(roles) != 2 or not all(role and target for role, _, target in roles):
            raise self._error(number, f"{printable(name)} is not written as a relation")
        if roles[0][0] == "Arg2":
            roles.reverse()
        of_spans = [self._is_there(number, name, target) for _, _, target in roles]  # both have to be there
        if False in of_spans:
            return False
        self._relations.append(Relation(name, words[0], roles[0][2], roles[1][2]))
        return True

    def _note(self, number: int, line: str) -> bool:
        columns = line.split("\t", 2)
        kind, _, target = columns[1].partition(" ")
        if len(columns) < 3 or target not in self._spans or kind not in (_OFTEN, _OTHER):
            return False
        key, equals, value = columns[2].partition("=")
        if not equals or (kind == _OFTEN and key not in ATTRIBUTES):
            return False  # a remark of the annotator
        self._set(number, target, _unescaped(key), _unescaped(value))
        return True

    def _is_there(self, number: int, name: str, target: str) -> bool:
        """Whether it is about a span; something else that is in the file is no error."""
        if target not in self._ids:
            raise self._error(number, f"{printable(name)} is about something that is not there")
        return target in self._spans

    def _set(self, number: int, target: str, key: str, value: str) -> None:
        if key in self._attributes[target]:
            raise self._error(number, f"{printable(target)} has the attribute {printable(key)} twice")
        self._attributes[target][key] = value


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10


# -- writing -------------------------------------------------------------------------------------------------------


def _written(document: Document, name: str) -> tuple[str, Record]:
    carried = dict(document.carried)
    held = carried.get("brat")
    raw: list[str] = []
    if isinstance(held, list) and held and all(isinstance(line, str) and _is_raw(line) for line in held):
        raw = carried.pop("brat")
    taken = [line.split("\t", 1)[0] for line in raw]
    spans = _numbered([entity.id for entity in document.entities], "T", _SPAN_ID, taken)
    ties = _numbered([relation.id for relation in document.relations], "R", _RELATION_ID, taken)
    names = Names(taken)
    where = f"document {printable(document.id)}"
    lines = [_span_line(entity, spans[entity.id], document.text, where) for entity in document.entities]
    for entity in document.entities:
        lines.extend(_attribute_lines(entity, spans[entity.id], names))
    for tie in document.relations:
        label = _type(tie.label, where)
        lines.append(f"{ties[tie.id]}\t{label} Arg1:{spans[tie.head]} Arg2:{spans[tie.tail]}")
    ids = {short: own for own, short in (spans | ties).items() if own != short}
    sidecar: Record = {} if document.id == name else {"id": document.id}
    if document.author:
        sidecar["author"] = document.author
    if document.coding is not None:
        sidecar |= codings.nested(document.coding)
    if ids:
        sidecar["ids"] = ids
    return "".join(f"{line}\n" for line in [*lines, *raw]), common.spread(sidecar, carried, _SIDECAR)


def _is_raw(line: str) -> bool:
    return line[:1] in tuple("AMREN#*") and "\t" in line and "\n" not in line


def _numbered(ids: list[str], prefix: str, form: re.Pattern[str], taken: list[str]) -> dict[str, str]:
    """Ids that brat can hold: the own ones where they have its form, free numbers elsewhere."""
    kept = {name for name in ids if form.fullmatch(name) and name not in taken}
    names = Names({*kept, *taken})
    return {name: name if name in kept else names.next(prefix) for name in ids}


def _type(label: str, where: str) -> str:
    if not label or any(character.isspace() or character in _LINE_ENDS for character in label):
        raise InputError(f"{where}: brat cannot hold a label that is empty or holds blanks")
    return label


def _span_line(entity: Entity, name: str, text: str, where: str) -> str:
    offsets = ";".join(f"{start} {end}" for start, end in entity.fragments)
    return f"{name}\t{_type(entity.label, where)} {offsets}\t{entity.covered(text).translate(_BLANKED)}"


def _attribute_lines(entity: Entity, name: str, names: Names) -> Iterator[str]:
    for key, value in entity.attributes.items():
        enumerated = key != "value" and key and not any(map(_breaks, key + value))
        if enumerated:
            yield f"{names.next('A')}\t{key} {name} {value}".rstrip(" ")
        elif key in ATTRIBUTES:
            yield f"{names.next('#')}\t{_OFTEN} {name}\t{key}={value.translate(_ESCAPED)}"
        else:
            escaped = key.translate(_ESCAPED).replace("=", "\\u003d")
            yield f"{names.next('#')}\t{_OTHER} {name}\t{escaped}={value.translate(_ESCAPED)}"


def _breaks(character: str) -> bool:
    return character.isspace() or character in _LINE_ENDS


def _unescaped(value: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), value)
