"""The text of a FHIR DocumentReference: the attachments that stand in the resource itself.

Sources: FHIR R4 and R5 DocumentReference and Attachment (hl7.org/fhir/documentreference.html). By R4 several `content`
are one document in several formats; senders put its parts there too. So attachments of plain text are joined, and RTF
is read only when there is no plain text: no text is read twice.
"""

from __future__ import annotations

import codecs
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

from extractor.batch.decoding import decode
from extractor.batch.readers import rtf
from extractor.batch.readers.items import is_date
from extractor.errors import InputError

_PLAIN, _RTF = frozenset({"text/plain"}), frozenset({"text/rtf", "application/rtf"})
_SHOWN = frozenset(  # others are not named in errors: a contentType is a text of the sender and may hold anything
    "text/html application/xhtml+xml text/xml application/xml application/json application/pdf application/msword "
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document application/octet-stream "
    "application/dicom image/png image/jpeg image/tiff".split()
)
_NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
_CHARSET_NAME = re.compile(r"[\w.:-]{1,40}", re.ASCII)
_AS_WINDOWS = frozenset({"iso8859-1", "cp1252"})  # what says Latin-1 mostly is Windows-1252, which is the same and more


def document_text(record: dict[str, Any], where: str) -> tuple[str, list[str]]:
    """The text of a DocumentReference and what had to be assumed of it; `InputError` when none can be read."""
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
    shown = ", ".join(sorted({_shown(_media_type(attachment)) for attachment in attachments})[:5])
    raise InputError(f"no attachment is plain text or RTF ({shown})")


def day_of_service(record: dict[str, Any]) -> str | None:
    """Begin of the period that a DocumentReference is about (R4: context.period; R5: period).

    >>> day_of_service({"context": {"period": {"start": "2026-01-30T08:00:00Z"}}, "date": "2026-02-01T00:00:00Z"})
    '2026-01-30'
    """
    context = record.get("context")
    periods = [context.get("period") if isinstance(context, dict) else None, record.get("period")]
    return next((day for period in periods if (day := period_start(period))), None)


def day_written(record: dict[str, Any]) -> str | None:
    """The day of `date`, which a DocumentReference and a Composition have: when it was written."""
    return _day(record.get("date"))


def period_start(period: object) -> str | None:
    """The first day of a FHIR Period, when the day is given in full.

    >>> period_start({"start": "2026-02"}) is None
    True
    """
    return _day(period.get("start")) if isinstance(period, dict) else None


def _day(value: object) -> str | None:
    return value[:10] if isinstance(value, str) and is_date(value[:10]) else None


def _attachments(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    contents = record.get("content")
    for content in contents if isinstance(contents, list) else []:
        attachment = content.get("attachment") if isinstance(content, dict) else None
        if isinstance(attachment, dict):
            yield attachment


def _media_type(attachment: dict[str, Any]) -> str:
    """The media type without its parameters; "" for none."""
    given = attachment.get("contentType")
    return given.split(";")[0].strip().lower() if isinstance(given, str) else ""


def _shown(media_type: str) -> str:
    """A media type as it may stand in an error.

    >>> _shown("application/pdf"), _shown("text/mr-quince"), _shown("")
    ('application/pdf', 'another type', 'no content type')
    """
    return media_type if media_type in _SHOWN else "another type" if media_type else "no content type"


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
