"""patterns/ -> frozen, validated models. Any bad row stops the load with its file and row.

`load_csv` and `load_toml` are the only ways in. A CSV row that does not fit its model, an unknown column, a duplicate
phrase or a stray blank raises `PatternError` ("agents.csv row 14: ..."). An overlay folder given by the user comes
after the shipped one: its rows are added, a row with the same phrase replaces the shipped one, and a TOML file
replaces the shipped file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from extractor.errors import PatternError

Model = TypeVar("Model", bound=BaseModel)


class Row(BaseModel):
    """Base of every pattern row and table: frozen, and no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False)


def shipped_folder() -> Path:
    """The folder of the patterns that came with the package (inside the wheel, or the checkout's own)."""
    inside = Path(__file__).parent / "_patterns"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "patterns"


@dataclass(frozen=True)
class PatternFolder:
    """The shipped patterns with an optional overlay folder of the user's."""

    overlay: Path | None = None

    def __post_init__(self) -> None:
        if self.overlay is not None and not self.overlay.is_dir():
            raise PatternError(f"{self.overlay}: no such patterns folder")

    @cached_property
    def shipped(self) -> Path:
        return shipped_folder()

    def _files(self, name: str) -> list[Path]:
        files = [self.shipped / name]
        if self.overlay is not None and (self.overlay / name).is_file():
            files.append(self.overlay / name)
        return files

    def csv(self, name: str, model: type[Model], key: str = "phrase") -> tuple[Model, ...]:
        """All rows of a CSV file as `model`s. A repeated `key` within one file is an error; across files the later
        wins."""
        merged: dict[str, Model] = {}
        for path in self._files(name):
            seen: set[str] = set()
            for number, row in _csv_rows(path):
                item = _validated(model, row, f"{path.name} row {number}")
                value = str(getattr(item, key))
                if value in seen:
                    raise PatternError(f"{path.name} row {number}: {key} {value!r} stands twice")
                seen.add(value)
                merged[value] = item
        return tuple(merged.values())

    def toml(self, name: str, model: type[Model]) -> Model:
        """A TOML table as `model`; the overlay's file, where there is one, replaces the shipped one."""
        path = self._files(name)[-1]
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise PatternError(f"{path.name}: cannot be read ({error.strerror})") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise PatternError(f"{path.name}: {error}") from None
        return _validated(model, data, path.name)

    @cached_property
    def fingerprint(self) -> str:
        """A short hash of every pattern file, for the result's `versions`."""
        return _hash_of(self.shipped, *([self.overlay] if self.overlay else []))

    @cached_property
    def overlay_fingerprint(self) -> str:
        """A short hash of the user's own pattern files; empty where there are none."""
        return _hash_of(self.overlay) if self.overlay else ""


def _hash_of(*roots: Path) -> str:
    digest = hashlib.sha256()
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and path.suffix in {".csv", ".toml"}:
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]


def _csv_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PatternError(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise PatternError(f"{path.name}: not UTF-8") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    for row in reader:
        number = reader.line_num
        if None in row:
            raise PatternError(f"{path.name} row {number}: more fields than columns")
        if None in row.values():
            raise PatternError(f"{path.name} row {number}: fewer fields than columns")
        for column, value in row.items():
            if value != value.strip():
                raise PatternError(f"{path.name} row {number}: blank at an end of {column!r}")
        yield number, {column: value for column, value in row.items() if value != ""}


def _validated(model: type[Model], data: Any, where: str) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise PatternError(f"{where}: {field}: {first['msg']}") from None
