"""A FHIR DocumentReference as a note: the text attachments that stand in the resource itself.

Sources: FHIR R4 and R5 DocumentReference and Attachment (hl7.org/fhir/documentreference.html), FHIR Bulk Data Access
(NDJSON). By R4 several `content` are one document in several formats; senders put its parts there too. So attachments
of plain text are joined, and RTF is read only when there is no plain text: no text is read twice.
"""

from __future__ import annotations

import codecs
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from typing import Any

from extractor.batch.decoding import decode
from extractor.batch.readers import rtf
from extractor.batch.readers.items import BadRecord, Columns, Item, Remark, incoming, is_date
from extractor.errors import InputError

DOCUMENT = "DocumentReference"
MOST_TYPES = 50  # of other resources that are counted one by one
_TYPE_NAME = re.compile(r"[A-Za-z]{1,40}")
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,80}", re.ASCII)
_PLAIN, _RTF = frozenset({"text/plain"}), frozenset({"text/rtf", "application/rtf"})
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_CHARSET_NAME = re.compile(r"[\w.:-]{1,40}", re.ASCII)
_AS_WINDOWS = frozenset({"iso8859-1", "cp1252"})  # what says Latin-1 mostly is Windows-1252, which is the same and more


def resource_type(record: object, columns: Columns) -> str | None:
    """The kind of FHIR resource; None for a record that is no resource (the `text` of a resource is never a string).

    >>> resource_type({"resourceType": "Patient", "id": "1"}, Columns())
    'Patient'
    >>> resource_type({"resourceType": "x", "id": "1", "text": "Facet injection."}, Columns()) is None
    True
    """
    if not isinstance(record, dict) or "resourceType" not in record or isinstance(record.get(columns.text), str):
        return None
    kind = record["resourceType"]
    return kind if isinstance(kind, str) and _TYPE_NAME.fullmatch(kind) else "other"


def left_out(counts: Counter[str]) -> str:
    """What to tell about resources that are no documents.

    >>> left_out(Counter({"Patient": 2, "Encounter": 1}))
    '3 resources that are no DocumentReference were left out (Encounter 1, Patient 2)'
    """
    each = ", ".join(f"{kind} {count}" for kind, count in sorted(counts.items()))
    return f"{counts.total()} resources that are no {DOCUMENT} were left out ({each})"


def note_items(record: Any, where: str) -> Iterator[Item]:
    """The note of a DocumentReference, and what had to be assumed of its text."""
    try:
        text, remarks = _text(record, where)
    except InputError as error:
        yield BadRecord(where, str(error))
        return
    for remark in remarks:
        yield Remark(where, remark)
    found = {"id": record["id"]} if "id" in record else {}
    yield incoming(where, found | {"text": text, "date_of_service": _day(record)})


def _day(record: dict[str, Any]) -> str | None:
    """Begin of the period that the document is about (R4: context.period; R5: period), else when it was written."""
    context = record.get("context")
    about = [context.get("period")] if isinstance(context, dict) else []
    starts = [period.get("start") for period in [*about, record.get("period")] if isinstance(period, dict)]
    days = (value[:10] for value in [*starts, record.get("date")] if isinstance(value, str))
    return next((day for day in days if is_date(day)), None)


def _text(record: dict[str, Any], where: str) -> tuple[str, list[str]]:
    if record.get("status") == "entered-in-error":
        raise InputError("the document is marked as entered in error")
    attachments = list(_attachments(record))
    if not attachments:
        raise InputError("no attachment")
    by_url = False
    for kinds in (_PLAIN, _RTF):
        wanted = [attachment for attachment in attachments if _media_type(attachment) in kinds]
        inline = [attachment for attachment in wanted if isinstance(attachment.get("data"), str)]
        by_url = by_url or len(inline) < len(wanted)
        if inline and len(inline) < len(wanted):
            raise InputError("a part of the text is not in the record (attachment without data)")
        if inline:
            parts = [_attachment_text(attachment, where) for attachment in inline]
            return "\n\n".join(text for text, _ in parts), [remark for _, remark in parts if remark]
    if by_url:
        raise InputError("the text is not in the record (attachment without data, only a url)")
    shown = ", ".join(sorted({_media_type(attachment) or "no content type" for attachment in attachments})[:5])
    raise InputError(f"no attachment is plain text or RTF ({shown})")


def _attachments(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    contents = record.get("content")
    for content in contents if isinstance(contents, list) else []:
        attachment = content.get("attachment") if isinstance(content, dict) else None
        if isinstance(attachment, dict):
            yield attachment


def _media_type(attachment: dict[str, Any]) -> str:
    """The media type without its parameters; "" for what is none and so should not be shown."""
    given = attachment.get("contentType")
    name = given.split(";")[0].strip().lower() if isinstance(given, str) else ""
    return name if _MEDIA_TYPE.fullmatch(name) else ""


def _attachment_text(attachment: dict[str, Any], where: str) -> tuple[str, str]:
    try:
        data = b64decode("".join(attachment["data"].split()), validate=True)
    except ValueError:
        raise InputError("the data of an attachment are not base64") from None
    if _media_type(attachment) in _RTF:
        return rtf.plain_text(data, where)
    return _decoded(data, _charset(attachment["contentType"]))


def _charset(content_type: str) -> str:
    """The charset parameter.

    >>> _charset('text/plain; format=flowed; Charset="ISO-8859-1"'), _charset("text/plain")
    ('ISO-8859-1', '')
    """
    for parameter in content_type.split(";")[1:]:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"')
    return ""


def _decoded(data: bytes, charset: str) -> tuple[str, str]:
    if not charset:
        return decode(data)
    try:
        name = codecs.lookup(charset).name if _CHARSET_NAME.fullmatch(charset) else "undefined"
        if name in ("utf-8", "ascii"):
            return decode(data)  # takes a byte order mark away, and tells what does not fit
        if name in _NO_CHARSETS:
            raise LookupError
        text = data.decode("cp1252" if name in _AS_WINDOWS else name, "replace")
    except (LookupError, ValueError):  # Python's codecs are not all for text
        raise InputError("an attachment has an unknown charset") from None
    if "\ufffd" in text:
        return text, "an attachment does not fit its charset, bytes that cannot be read were replaced"
    return text, ""
