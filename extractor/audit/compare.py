"""One claim held against one note: a verdict on each billed line, what is missing, and the causes of what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from extractor.audit.claims import Billed
from extractor.audit.models import BilledLine, Finding, FindingKind, Verdict
from extractor.audit.rows import AuditTable
from extractor.audit.service import Cause, Service, causes, claimed, missing, verdicts
from extractor.audit.shelf import (
    DENERVATION,
    EPIDURAL,
    EPIDURALS,
    FACET,
    GUIDED,
    IMAGING,
    TRIGGER,
    ULTRASOUND,
    Shelf,
    procedures_of,
)
from extractor.audit.words import evidence_of
from extractor.coding.codebook import CodeBook
from extractor.coding.profiles import Profile
from extractor.schema import ClaimLine, CodeLine, CodingResult

_QUESTION_OF_SIDE, _QUESTION_OF_LEVEL, _QUESTION_OF_STOP = "missing_side", "missing_level", "discontinued"


@dataclass(frozen=True)
class Rules:
    """All that a comparison needs beside the note and the claim. `shelf` knows the numbers of one profile."""

    book: CodeBook
    table: AuditTable
    shelf: Shelf

    @classmethod
    def of(cls, book: CodeBook, table: AuditTable) -> Rules:
        return cls(book, table, Shelf(book, table))

    def under(self, profile: Profile) -> Rules:
        """The same rules with the numbers that a profile writes otherwise."""
        return replace(self, shelf=Shelf(self.book, self.table, profile.replace))


@dataclass(slots=True)
class _Work:
    """What is known so far of one comparison."""

    verdict: dict[int, Verdict] = field(default_factory=dict)
    causes: list[Cause] = field(default_factory=list)
    missing: list[ClaimLine] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)  # services of the note that a cause already tells of


@dataclass(frozen=True, slots=True)
class Comparison:
    """The outcome, as it goes into the audit of the note."""

    lines: list[BilledLine]
    undercoded: list[ClaimLine]
    findings: list[Finding]
    unknown: list[str]


def compare(result: CodingResult, billed: Sequence[Billed], rules: Rules) -> Comparison:
    """The comparison of one claim with the coding of its note, under the profile of the result. Pure."""
    profile = rules.book.profile(result.versions.profile)
    rules = rules.under(profile)
    shelf = rules.shelf
    work = _Work()
    known = [replace(item, code=shelf.plain(item.code)) for item in billed if shelf.place(item.code)]
    have = _by_service(known, shelf)
    imaging = have.pop(IMAGING, ())
    want = _expected(result, shelf)
    have = _same_service(have, want, result, shelf, work)
    for name, lines in have.items():
        if name in want:
            _matched(_service(name, lines, want, result, rules, profile), work)
    for name, lines in have.items():
        if name not in want:
            _unmatched(name, lines, have, want, result, rules, work)
    _left_out(have, want, work)
    _questions(have, want, result, rules, work)
    _diagnostic(known, result, rules, profile, work)
    _coverage(have, want, result, rules, profile, work)
    _numbers(billed, have, want, result, profile, shelf, work)
    _other_claims(known, rules, profile, work)
    _imaging(imaging, known, rules, work)
    return _told(result, billed, rules, work)


def _by_service(lines: Iterable[Billed], shelf: Shelf) -> dict[str, tuple[Billed, ...]]:
    found: dict[str, tuple[Billed, ...]] = {}
    for item in lines:
        place = shelf.place(item.code)
        if place is not None:
            found[place.service] = (*found.get(place.service, ()), item)
    return found


def _expected(result: CodingResult, shelf: Shelf) -> dict[str, tuple[ClaimLine, ...]]:
    found: dict[str, tuple[ClaimLine, ...]] = {}
    for item in result.claim:
        place = shelf.place(item.code)
        if place is not None:
            found[place.service] = (*found.get(place.service, ()), item)
    return found


def _code_lines(name: str, result: CodingResult, shelf: Shelf) -> tuple[CodeLine, ...]:
    return tuple(line for line in result.lines if (place := shelf.place(line.code)) and place.service == name)


def _service(
    name: str,
    lines: tuple[Billed, ...],
    want: dict[str, tuple[ClaimLine, ...]],
    result: CodingResult,
    rules: Rules,
    profile: Profile,
) -> Service:
    supported = _code_lines(name, result, rules.shelf)
    return Service(name, lines, want[name], supported, result, rules.shelf, rules.table, profile)


def _same_service(
    have: dict[str, tuple[Billed, ...]],
    want: dict[str, tuple[ClaimLine, ...]],
    result: CodingResult,
    shelf: Shelf,
    work: _Work,
) -> dict[str, tuple[Billed, ...]]:
    """Lines billed with fluoroscopy where ultrasound alone was used (or the other way round), put where they would
    stand, so that levels and sides can be compared all the same."""
    for billed, noted in ((GUIDED, ULTRASOUND), (ULTRASOUND, GUIDED)):
        if billed not in have or noted not in want or billed in want or noted in have:
            continue
        numbers = tuple(item.line for item in have[billed])
        if billed == GUIDED:
            work.causes.append(Cause("ultrasound_as_fluoroscopy", numbers))
        else:
            codes = ", ".join(map(claimed, want[noted]))
            work.causes.append(Cause("wrong_family", numbers, {"codes": codes}))
        work.verdict.update(dict.fromkeys(numbers, "unsupported"))
        moved = tuple(replace(item, code=shelf.like(item.code, noted) or item.code) for item in have[billed])
        return {noted if name == billed else name: moved if name == billed else lines for name, lines in have.items()}
    return have


def _matched(service: Service, work: _Work) -> None:
    """A service that is billed and supported."""
    stopped = procedures_of(service.name, service.result.procedures)
    if stopped and all(item.discontinued for item in stopped):
        _stopped(service.billed, service.table, work)
        return
    if _of_a_kind(service, work):
        return
    found, astray = causes(service)
    for number, verdict in verdicts(service, found, astray).items():
        work.verdict.setdefault(number, verdict)
    work.causes += found
    work.missing += missing(service, found)


def _stopped(lines: Sequence[Billed], table: AuditTable, work: _Work) -> None:
    """A service that was stopped before anything was completed; billed as such, a person decides."""
    work.verdict.update({item.line: "needs_answer" for item in lines})
    bare = _billed_as_done(lines, table)
    if bare:
        work.causes.append(Cause("not_performed", tuple(item.line for item in bare)))


def _billed_as_done(lines: Sequence[Billed], table: AuditTable) -> list[Billed]:
    """The lines without a modifier of a stopped service."""
    return [item for item in lines if not set(item.modifiers) & table.modifiers.stopped]


def _of_a_kind(service: Service, work: _Work) -> bool:
    """Services whose codes differ by imaging or by the number of muscles, not by level: told here, where they differ.
    True where the codes are not those of the note."""
    have, want = set(service.have), set(service.want)
    if service.name not in (EPIDURAL, TRIGGER) or have == want or have & want:
        return False
    shelf = service.shelf
    numbers = tuple(item.line for item in service.billed)
    given = next(place for code in have if (place := shelf.place(code)))
    noted = next(place for code in want if (place := shelf.place(code)))
    work.missing += service.expected
    if given.region != noted.region:
        cause = Cause("wrong_region", numbers, {"codes": ", ".join(want)})
    elif given.form == "imaging":
        seen = {kind for item in procedures_of(EPIDURAL, service.result.procedures) for kind in item.imaging}
        cause = Cause("ultrasound_as_fluoroscopy" if seen == {"ultrasound"} else "imaging_not_documented", numbers)
    elif given.form == "many":
        cause = Cause("extra_level", numbers, {}, "overcoded")
    elif given.form == "few":
        cause = Cause("fewer_levels", numbers, {"codes": ", ".join(want)})
    else:
        cause = Cause("wrong_family", numbers, {"codes": ", ".join(want)})
    work.causes.append(cause)
    work.verdict.update(dict.fromkeys(numbers, "overcoded" if given.form == "many" else "unsupported"))
    return True


def _unmatched(
    name: str,
    lines: tuple[Billed, ...],
    have: dict[str, tuple[Billed, ...]],
    want: dict[str, tuple[ClaimLine, ...]],
    result: CodingResult,
    rules: Rules,
    work: _Work,
) -> None:
    """A service that is billed and that no line of the note supports."""
    numbers = tuple(item.line for item in lines)
    work.verdict.update(dict.fromkeys(numbers, "unsupported"))
    done = procedures_of(name, result.procedures)
    begun = [item for item in done if not item.discontinued]
    rejected = {item.code for item in result.rejected} & {item.code for item in lines}
    spare = [other for other in want if other not in have and other not in work.explained]
    if done and not begun:
        _stopped(lines, rules.table, work)
    elif begun and not spare and (asked := _asked(result, rules)):
        work.verdict.update(dict.fromkeys(numbers, "needs_answer"))
        work.causes += [Cause(kind, numbers, {"billed": len(numbers), "levels": 0}) for kind in asked]
    elif begun and rejected and not any(set(item.imaging) & {"fluoroscopy", "ct"} for item in begun):
        sonar = any("ultrasound" in item.imaging for item in begun)
        work.causes.append(Cause("ultrasound_as_fluoroscopy" if sonar else "imaging_not_documented", numbers))
        work.explained |= {other for other in spare if other == TRIGGER}
    elif begun and result.status == "review" and not spare:
        work.verdict.update(dict.fromkeys(numbers, "needs_answer"))
    elif spare:
        codes = ", ".join(claimed(item) for other in spare for item in want[other])
        work.causes.append(Cause("wrong_family", numbers, {"codes": codes}))
        work.missing += [item for other in spare for item in want[other]]
        work.explained |= set(spare)
    elif (rejected or begun or (name == GUIDED and DENERVATION in want)) and result.lines:
        codes = ", ".join(map(claimed, result.claim))
        work.causes.append(Cause("wrong_family", numbers, {"codes": codes}))
    elif result.procedures and not result.lines:
        work.causes.append(Cause("wrong_family", numbers, {"codes": "-"}))
    else:
        work.causes.append(Cause("not_performed", numbers))


def _asked(result: CodingResult, rules: Rules) -> list[FindingKind]:
    """The findings that open questions of a note without lines are; without levels no side can be asked."""
    ids = [query.id for query in result.queries if query.id in rules.table.questions]
    if _QUESTION_OF_LEVEL in ids:
        ids = [id_ for id_ in ids if id_ != _QUESTION_OF_SIDE]
    return [rules.table.questions[id_] for id_ in ids]


def _left_out(have: dict[str, tuple[Billed, ...]], want: dict[str, tuple[ClaimLine, ...]], work: _Work) -> None:
    """Services that the note supports and the claim lacks, where nothing was billed in their place."""
    spare = [name for name in want if name not in have and name not in work.explained]
    lines = [item for name in spare for item in want[name]]
    work.missing += [item for item in lines if item not in work.missing]
    told = {cause.kind for cause in work.causes}
    if have and lines and not told & {"wrong_family", "imaging_not_documented", "ultrasound_as_fluoroscopy"}:
        work.causes.append(Cause("fewer_levels", (), {"codes": ", ".join(map(claimed, lines))}))


def _questions(
    have: dict[str, tuple[Billed, ...]],
    want: dict[str, tuple[ClaimLine, ...]],
    result: CodingResult,
    rules: Rules,
    work: _Work,
) -> None:
    """Open questions that are findings where a line of their service is billed as the note's candidate."""
    told = {cause.kind for cause in work.causes}
    ids = [query.id for query in result.queries]
    for id_ in dict.fromkeys(ids):
        kind = rules.table.questions.get(id_)
        if kind is None or kind in told or "not_performed" in told or kind == "nerves_as_levels":
            continue  # nerves that complete no joint, beside joints that are complete, are no fault of the billed lines
        if id_ == _QUESTION_OF_SIDE and _QUESTION_OF_LEVEL in ids:
            continue
        names = [name for name in have if name in want]
        if id_ == _QUESTION_OF_STOP:
            names = [
                name for name in names if any(item.discontinued for item in procedures_of(name, result.procedures))
            ]
        lines = [item for name in names for item in have[name]]
        if kind == "imaging_not_documented":
            lines = [item for item in lines if rules.book.code(item.code).guidance]
        if kind == "missing_side":
            lines = [item for item in lines if rules.book.code(item.code).side]
        if id_ == _QUESTION_OF_STOP:
            lines = _billed_as_done(lines, rules.table)
        if lines:
            work.causes.append(Cause(kind, tuple(item.line for item in lines)))


def _diagnostic(lines: Sequence[Billed], result: CodingResult, rules: Rules, profile: Profile, work: _Work) -> None:
    """The modifier for a stated diagnostic injection: lacking, or on a line that the note does not call so."""
    marks = {item.diagnostic for item in rules.book.profiles.values() if item.diagnostic}
    stated = any(item.intent == "diagnostic" for item in result.procedures)
    numbers = tuple(item.line for item in lines if marks & set(item.modifiers) and not stated)
    if numbers:
        work.causes.append(Cause("therapeutic_as_diagnostic", numbers, {"codes": ", ".join(sorted(marks))}))
    if not profile.diagnostic:
        return
    wanted = {item.code for item in result.claim if profile.diagnostic in item.modifiers}
    bare = tuple(item.line for item in lines if item.code in wanted and profile.diagnostic not in item.modifiers)
    if bare:
        work.causes.append(Cause("diagnostic_as_therapeutic", bare, {"codes": profile.diagnostic}))


def _numbers(
    billed: Sequence[Billed],
    have: Mapping[str, tuple[Billed, ...]],
    want: Mapping[str, tuple[ClaimLine, ...]],
    result: CodingResult,
    profile: Profile,
    shelf: Shelf,
    work: _Work,
) -> None:
    """Lines billed with a number of another claim form: that of the code book where this one has its own, or the other
    way round."""
    wanted = {item.code for item in result.claim}
    matched = {item.line for name in have if name in want for item in have[name]}
    plain = {item.line: shelf.plain(item.code) for item in billed}
    asked = {line: profile.replace.get(code, code) for line, code in plain.items()}
    odd = [item for item in billed if item.line in matched and asked[item.line] in wanted - {item.code}]
    if odd:
        codes = ", ".join(dict.fromkeys(asked[item.line] for item in odd))
        work.causes.append(Cause("wrong_modifiers", tuple(item.line for item in odd), {"codes": codes}, "other_number"))


def _other_claims(lines: Sequence[Billed], rules: Rules, profile: Profile, work: _Work) -> None:
    """Modifiers of a stopped service that only claims of another kind bear (73 and 74 are a facility's)."""
    foreign = {
        modifier
        for modifier in rules.table.modifiers.stopped
        if (meaning := rules.book.claims.meanings.get(modifier)) and not meaning.fits(profile)
    }
    odd = tuple(item.line for item in lines if foreign & set(item.modifiers))
    if odd:
        codes = ", ".join(profile.stopped) or "-"
        work.causes.append(Cause("wrong_modifiers", odd, {"codes": codes}, "other_claims"))


def _coverage(
    have: dict[str, tuple[Billed, ...]],
    want: dict[str, tuple[ClaimLine, ...]],
    result: CodingResult,
    rules: Rules,
    profile: Profile,
    work: _Work,
) -> None:
    """What is rightly coded and yet not covered."""
    both = [name for name in have if name in want]
    if FACET & set(both) and EPIDURALS & set(both):
        numbers = tuple(item.line for name in both if name in FACET | EPIDURALS for item in have[name])
        work.causes.append(Cause("same_day_epidural", numbers))
    told = {cause.kind for cause in work.causes}
    crowded = rules.book.queries.get("coverage_levels")
    if result.versions.profile in rules.table.no_payer or "third_level" in told or crowded is None:
        return
    for name in both:
        if name not in FACET or crowded.question not in result.warnings:
            continue
        service = _service(name, have[name], want, result, rules, profile)
        supported = len({joint for line in service.lines for joint in line.joints})
        if min(service.count_billed, supported) > profile.covered_levels:
            beyond = [code for code in service.have if (p := rules.shelf.place(code)) and p.rung > 2] or service.have
            if not any(place.rung > 2 for code in beyond if (place := rules.shelf.place(code))):
                beyond = [code for code in service.have if rules.book.code(code).add_on]
            values = {"covered": profile.covered_levels, "billed": service.count_billed}
            work.causes.append(Cause("third_level", service.numbers(beyond), values))


def _imaging(imaging: Sequence[Billed], lines: Sequence[Billed], rules: Rules, work: _Work) -> None:
    """Guidance billed beside a code that includes it."""
    included = any(item.code in rules.book.table.codes and rules.book.code(item.code).guidance for item in lines)
    numbers = tuple(item.line for item in imaging)
    if numbers and included:
        work.causes.append(Cause("imaging_billed", numbers))
        work.verdict.update(dict.fromkeys(numbers, "unsupported"))
    else:
        work.verdict.update(dict.fromkeys(numbers, "not_judged"))


def _told(result: CodingResult, billed: Sequence[Billed], rules: Rules, work: _Work) -> Comparison:
    """The outcome in words."""
    table = rules.table
    queries = [query.id for query in result.queries]
    findings = [
        Finding(
            kind=kind,
            reason=" ".join(dict.fromkeys(table.reason(item.reason or kind, **item.values) for item in alike)),
            lines=sorted({line for item in alike for line in item.lines}),
            evidence=evidence_of(kind, result),
        )
        for kind, alike in _by_kind(work.causes).items()
    ]
    findings.sort(key=lambda found: (min(found.lines, default=len(billed) + 1), found.kind))
    lines = []
    for item in billed:
        verdict = work.verdict.get(item.line, "not_judged")
        if verdict == "supported" and result.status == "review":
            verdict = "needs_answer"
        lines.append(
            BilledLine(
                line=item.line,
                place=item.place,
                code=item.code,
                modifiers=list(item.modifiers),
                units=item.units,
                verdict=verdict,
                reason=table.reason(verdict, query=", ".join(queries)),
                queries=queries if verdict == "needs_answer" else [],
            )
        )
    unknown = [item.code for item in billed if rules.shelf.place(item.code) is None]
    return Comparison(lines, work.missing, findings, list(dict.fromkeys(unknown)))


def _by_kind(found: Iterable[Cause]) -> dict[FindingKind, list[Cause]]:
    """One finding a kind, whatever the number of services that it is found in."""
    kinds: dict[FindingKind, list[Cause]] = {}
    for cause in found:
        kinds.setdefault(cause.kind, []).append(cause)
    return kinds
