"""FHIR: documents of every kind in, valid Bundles out, the same bytes each time; hostile input ends as one line."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stubs import SECRET, stub_code
from test_readme import blocks

from extractor import Coder, cli
from extractor.claimlinks import line_links
from extractor.errors import InputError
from extractor.fhir.narrative import narrative_text, xhtml_text
from extractor.schema import ClaimLine, CodeLine, CodingResult, Note, Versions

pytest.importorskip("fhir.resources", reason="the extra fhir")
from extractor.fhir import code_note, code_resource
from extractor.fhir.elements import DATA_ABSENT, EVIDENCE, JOINT, LATERALITY, is_string
from extractor.fhir.source import read_source
from extractor.fhir.validation import checked
from extractor.fhir.vocabulary import check_bindings, codes_of, elements, vocabulary

ROOT = Path(__file__).parent.parent
SAMPLES = sorted((ROOT / "corpus" / "samples").glob("*.txt"))
PUBLISHED = sorted((ROOT / "docs" / "fhir").glob("*.json"))
PAGE = (ROOT / "docs" / "fhir.md").read_text(encoding="utf-8")
Code = Callable[[Note], CodingResult]
hostile = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def code(coder: Coder) -> Code:
    return lambda note: coder.code(note.text, id=note.id, date_of_service=note.date_of_service)


def stub(note: Note) -> CodingResult:
    return stub_code(note.text, note.id)


def body(resource: object) -> bytes:
    return json.dumps(resource).encode()


def of_type(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def read_text(bundle: dict[str, Any]) -> str:
    """The text that offsets refer to, as a receiver finds it: by the reference of the Provenance."""
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    [provenance] = of_type(bundle, "Provenance")
    document = by_url[provenance["entity"][0]["what"]["reference"]]
    return b64decode(document["content"][0]["attachment"]["data"]).decode("utf-8")


def evidence(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    [provenance] = of_type(bundle, "Provenance")
    for extension in provenance["entity"][0].get("extension", []):
        assert extension["url"] == EVIDENCE
        parts: dict[str, Any] = {"line": []}
        for part in extension["extension"]:
            [value] = [part[key] for key in part if key.startswith("value")]
            if part["url"] == "line":
                parts["line"].append(value)
            else:
                parts[part["url"]] = value
        yield parts


def document(text: str, **more: Any) -> dict[str, Any]:
    """A synthetic R4 DocumentReference."""
    data = b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": "op-note-1",
        "status": "current",
        "docStatus": "final",
        "masterIdentifier": {"system": "urn:oid:2.999.1", "value": "doc-1"},
        "subject": {"reference": "Patient/p1", "display": SECRET},
        "date": "2026-02-03T10:00:00Z",
        "author": [{"reference": "Practitioner/dr1", "display": SECRET}, {"reference": "Device/scribe"}],
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
        "context": {
            "encounter": [{"reference": "Encounter/e1"}],
            "period": {"start": "2026-02-01T08:00:00Z"},
        },
    } | more


def section(title: str, div: str) -> dict[str, Any]:
    xhtml = f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'
    return {"title": title, "text": {"status": "additional", "div": xhtml}}


def composition(*sections: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A synthetic R4 Composition."""
    return {
        "resourceType": "Composition",
        "id": "c1",
        "status": "final",
        "type": {"text": "Procedure note"},
        "subject": {"reference": "urn:uuid:6a7bbd42-5c39-4a1c-9c5c-3f3b4d7a0001"},
        "encounter": {"reference": "Encounter/e1"},
        "date": "2026-02-03",
        "author": [{"reference": "urn:uuid:6a7bbd42-5c39-4a1c-9c5c-3f3b4d7a0002"}],
        "title": "Procedure note",
        "event": [{"period": {"start": "2026-02-01"}}],
        "section": list(sections),
    } | more


OPERATION = composition(
    section("Procedure", "<p>Bilateral L4-L5 and L5-S1 facet joint injections</p>"),
    section(
        "Technique",
        "<p>Under fluoroscopic guidance needles were advanced into the <b>L4-5</b> and L5-S1 facet joints on both "
        "sides.</p><p>0.5&#160;mL of bupivacaine 0.25% was injected into each joint.</p>",
    ),
)


def in_document_bundle(first: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    people = [
        {"resourceType": "Patient", "id": "p1", "gender": "female"},
        {"resourceType": "Practitioner", "id": "dr1"},
    ]
    urls = [f"urn:uuid:6a7bbd42-5c39-4a1c-9c5c-3f3b4d7a000{number}" for number in range(9)]
    listed = [{"fullUrl": url, "resource": one} for url, one in zip(urls, [first, *people, *others], strict=False)]
    return {"resourceType": "Bundle", "type": "document", "timestamp": "2026-02-03T10:00:00Z", "entry": listed}


def cases() -> dict[str, dict[str, Any]]:
    text = SAMPLES[0].read_text(encoding="utf-8")
    return {
        "document-reference": document(text),
        "no-references": document(text, subject=None, author=[], context={}, masterIdentifier=None, date=None),
        "composition": OPERATION,
        "document-bundle": in_document_bundle(OPERATION),
        "collection": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": document(text)}]},
    } | {path.stem: document(path.read_text(encoding="utf-8")) for path in SAMPLES}


CASES = cases()
URN = "urn:uuid:6a7bbd42-5c39-4a1c-9c5c-3f3b4d7a000"  # of entries in document bundles
GIVEN = {"Patient/p1", "Encounter/e1", "Practitioner/dr1", "DocumentReference/op-note-1", "Composition/c1"} | {
    f"{URN}{number}" for number in range(3)
}


@pytest.fixture(scope="module", params=CASES)
def answered(request: pytest.FixtureRequest, code: Code) -> dict[str, Any]:
    return code_resource(body(CASES[request.param]), code)


# -- valid, by the models and by the bindings ----------------------------------------------------------------------


def test_answer_is_valid(answered: dict[str, Any]) -> None:
    """All of it through the R4B models, which change nothing on the way, and through the table of bindings."""
    was = copy.deepcopy(answered)
    assert checked(answered, every_evidence=True) == was
    model = import_module("fhir.resources.R4B.bundle").Bundle
    assert json.loads(model.model_validate(answered).model_dump_json()) == was


def test_references_inside_the_answer_lead_somewhere(answered: dict[str, Any]) -> None:
    urls = {entry["fullUrl"] for entry in answered["entry"]}
    assert len(urls) == len(answered["entry"])
    assert all(entry["fullUrl"] == f"urn:uuid:{entry['resource']['id']}" for entry in answered["entry"])
    for entry in answered["entry"]:
        contained = {f"#{one['id']}" for one in entry["resource"].get("contained", [])}
        for path, value in elements(entry["resource"]):
            if path.endswith(".reference"):
                assert value in urls | contained | GIVEN


def test_every_bound_element_that_is_written_is_in_the_table(answered: dict[str, Any]) -> None:
    """What fhir.resources knows of required bindings, it tells only as metadata: ours are the same codes."""
    for resource in inner_resources(answered):
        for path, allowed in enumerated(resource, resource["resourceType"]):
            assert codes_of(path) == allowed, path


def inner_resources(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield resource
    for part in [*resource.get("contained", []), *(entry["resource"] for entry in resource.get("entry", []))]:
        yield from inner_resources(part)


def enumerated(element: dict[str, Any], path: str) -> Iterator[tuple[str, list[str]]]:
    """Elements of one resource that the models know codes for."""
    module = import_module(f"fhir.resources.R4B.{path.split('.')[0].lower()}")
    name = "".join(part[0].upper() + part[1:] for part in path.split("."))
    model = getattr(module, name, None)
    for key, value in element.items():
        extra = (model.model_fields[key].json_schema_extra or {}) if model and key in model.model_fields else {}
        if extra.get("enum_values"):
            yield f"{path}.{key}", extra["enum_values"]
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict) and "resourceType" not in part and key not in ("resource", "contained"):
                yield from enumerated(part, f"{path}.{key}")


def test_the_models_alone_take_a_bogus_status(code: Code) -> None:
    """Why the table is needed; when this fails, the library has learnt it."""
    bundle = code_resource(body(CASES["document-reference"]), code)
    of_type(bundle, "Procedure")[0]["status"] = "bogus"
    import_module("fhir.resources.R4B.bundle").Bundle.model_validate(bundle)
    with pytest.raises(InputError, match=r"^Procedure\.status: not a code of http://hl7\.org/fhir/ValueSet/event-stat"):
        checked(bundle)


@pytest.mark.parametrize("element", sorted(vocabulary()["bindings"]))
def test_no_bound_element_takes_a_bogus_code(element: str) -> None:
    kind, *names = element.split(".")
    value: Any = "bogus"
    for name in reversed(names):
        value = {name: [value] if isinstance(value, dict) else value}
    resource = {"resourceType": kind} | value
    with pytest.raises(InputError, match=re.escape(element)):
        check_bindings({"resourceType": "Bundle", "entry": [{"resource": resource}]})
    codes = codes_of(element)
    assert codes
    check_bindings(json.loads(json.dumps(resource).replace("bogus", codes[0])))


def test_a_wrong_element_is_refused_by_name(code: Code) -> None:
    bundle = code_resource(body(CASES["document-reference"]), code)
    del of_type(bundle, "Claim")[0]["insurance"][0]["sequence"]
    of_type(bundle, "Claim")[0]["item"][0]["quantity"]["value"] = SECRET
    with pytest.raises(InputError, match=r"no valid FHIR .*(insurance|item)") as caught:
        checked(bundle)
    assert SECRET not in str(caught.value)


def test_published_extensions_are_the_ones_that_are_written(answered: dict[str, Any]) -> None:
    model = import_module("fhir.resources.R4B.structuredefinition").StructureDefinition
    published = {}
    for path in PUBLISHED:
        definition = json.loads(path.read_text(encoding="utf-8"))
        model.model_validate(definition)
        assert path.name == f"StructureDefinition-{definition['id']}.json"
        published[definition["url"]] = definition
    assert set(published) == {EVIDENCE, JOINT, LATERALITY}
    slices = {
        element["sliceName"]: (element["min"], element["max"])
        for element in published[EVIDENCE]["differential"]["element"]
        if "sliceName" in element
    }
    for parts in evidence(answered):
        assert parts.keys() <= slices.keys()
        assert {name for name, (least, _) in slices.items() if least} <= parts.keys()
    for path, value in elements(answered):
        if path.endswith("extension.url") and ".extension.extension." not in path:
            assert value in published or value == DATA_ABSENT


# -- what stands in it ---------------------------------------------------------------------------------------------


def test_evidence_is_the_text_at_its_offsets(answered: dict[str, Any]) -> None:
    text = read_text(answered)
    for parts in evidence(answered):
        assert parts["unit"] == "codepoint"
        assert text[parts["start"] : parts["end"]] == parts["quote"]


def test_every_line_of_the_claim_has_evidence(answered: dict[str, Any]) -> None:
    claims = of_type(answered, "Claim")
    lines = {number for parts in evidence(answered) for number in parts["line"]}
    assert lines == {item["sequence"] for claim in claims for item in claim["item"]}
    targets = {parts["target"]["reference"] for parts in evidence(answered)}
    procedures = {f"urn:uuid:{one['id']}" for one in of_type(answered, "Procedure")}
    assert procedures <= targets


def test_claim_of_three_nerves_is_two_joints(code: Code) -> None:
    bundle = code_resource(body(CASES["document-reference"]), code)
    [claim] = of_type(bundle, "Claim")
    assert (claim["status"], claim["use"]) == ("draft", "claim")
    shown = [
        (
            item["sequence"],
            item["productOrService"]["coding"][0]["code"],
            item["productOrService"]["coding"][0]["system"],
            [modifier["coding"][0]["code"] for modifier in item["modifier"]],
            item["quantity"]["value"],
            [one["valueCodeableConcept"]["coding"][0]["code"] for one in item["extension"]],
            item["servicedDate"],
            item["bodySite"]["text"],
            item["encounter"],
        )
        for item in claim["item"]
    ]
    cpt, encounter = "http://www.ama-assn.org/go/cpt", [{"reference": "Encounter/e1"}]
    assert shown == [
        (1, "64493", cpt, ["RT"], 1, ["joint-L4-L5"], "2026-02-01", "right L4-L5 facet joint", encounter),
        (2, "64494", cpt, ["RT"], 1, ["joint-L5-S1"], "2026-02-01", "right L5-S1 facet joint", encounter),
    ]
    [procedure] = of_type(bundle, "Procedure")
    assert procedure["status"] == "completed"
    assert [site["text"] for site in procedure["bodySite"]] == ["right L3 nerve", "right L4 nerve", "right L5 nerve"]
    assert [one["code"]["text"] for one in procedure["contained"]] == ["bupivacaine"]
    assert procedure["performedDateTime"] == "2026-02-01"
    assert "64493" not in json.dumps(procedure)
    sides = [site["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] for site in procedure["bodySite"]]
    assert sides == [vocabulary()["laterality"]["right"]["code"]] * 3


def test_what_cannot_be_known_says_so(code: Code) -> None:
    bundle = code_resource(body(CASES["no-references"]), code)
    [claim], [procedure], [provenance] = (of_type(bundle, kind) for kind in ("Claim", "Procedure", "Provenance"))
    unknown = {"extension": [{"url": DATA_ABSENT, "valueCode": "unknown"}]}
    for element in (claim["patient"], claim["provider"], claim["priority"], claim["_created"]):
        assert element == unknown
    assert claim["insurance"] == [{"sequence": 1, "focal": True, "coverage": unknown}]
    assert procedure["subject"] == provenance["_recorded"] == unknown
    assert "servicedDate" not in claim["item"][0]


def test_only_what_came_in_goes_out(code: Code) -> None:
    """References are copied without the names in them; the day of writing is no day of service."""
    given = document(SAMPLES[3].read_text(encoding="utf-8"), context={})
    bundle = code_resource(body(given), code)
    [claim], [question] = of_type(bundle, "Claim"), of_type(bundle, "CommunicationRequest")
    assert claim["patient"] == question["subject"] == {"reference": "Patient/p1"}
    assert question["recipient"] == [{"reference": "Practitioner/dr1"}]
    assert "servicedDate" not in claim["item"][0]
    assert "encounter" not in claim["item"][0]
    assert SECRET not in json.dumps(bundle)
    [provenance] = of_type(bundle, "Provenance")
    whole = {"reference": "DocumentReference/op-note-1", "identifier": {"system": "urn:oid:2.999.1", "value": "doc-1"}}
    assert provenance["entity"][1] == {"role": "source", "what": whole}


def test_open_question_is_a_message_to_the_author(code: Code) -> None:
    bundle = code_resource(body(CASES["04-side-missing"]), code)
    [question], [outcome] = of_type(bundle, "CommunicationRequest"), of_type(bundle, "OperationOutcome")
    assert question["status"] == "draft"
    assert question["payload"][0]["contentString"].startswith("Which side was treated at L4-L5?")
    assert question["reasonCode"][0]["coding"][0]["code"] == "missing_side"
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "review"
    assert outcome["issue"][0]["severity"] == "warning"
    [site] = of_type(bundle, "Procedure")[0]["bodySite"]
    assert (site["text"], "extension" in site) == ("L4-L5 facet joint", False)
    rules = {parts["rule"] for parts in evidence(bundle) if parts["target"]["reference"].endswith(question["id"])}
    assert rules == {"missing_side"}


def test_nothing_performed_is_a_bundle_without_a_claim(code: Code) -> None:
    bundle = code_resource(body(CASES["05-no-procedure"]), code)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    assert kinds == ["OperationOutcome", "DocumentReference", "Provenance"]
    [outcome], [provenance] = of_type(bundle, "OperationOutcome"), of_type(bundle, "Provenance")
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "no_code"
    assert provenance["target"] == [{"reference": f"urn:uuid:{outcome['id']}"}]


def test_software_is_told_with_its_versions(answered: dict[str, Any], coder: Coder) -> None:
    [provenance] = of_type(answered, "Provenance")
    [device] = provenance["contained"]
    told = {version["type"]["text"]: version["value"] for version in device["version"]}
    stamped = coder.code("x").versions.model_dump(exclude={"date_of_service"})
    assert told.items() >= {name: value for name, value in stamped.items() if value}.items()


def test_stopped_and_doubtful_procedures(code: Code) -> None:
    stopped = code_note(
        Note(
            id="a",
            text="PROCEDURE: Right L4-5 facet joint injection under fluoroscopy.\nThe needle was advanced toward the "
            "right L4-5 facet joint. The procedure was aborted before any injection because of vasovagal syncope.",
        ),
        code,
    )
    assert [one["status"] for one in of_type(stopped, "Procedure")] == ["stopped"]
    result = code(Note(id="a", text=SAMPLES[0].read_text(encoding="utf-8")))
    doubtful = result.model_copy(
        update={"queries": [*stub_code("side?").queries[:0], _query("performed_unclear")], "status": "review"}
    )
    bundle = code_note(Note(id="a", text=SAMPLES[0].read_text(encoding="utf-8")), lambda _: doubtful)
    assert [one["status"] for one in of_type(bundle, "Procedure")] == ["unknown"]


def _query(name: str) -> Any:
    return stub_code("side?").queries[0].model_copy(update={"id": name, "evidence": []})


def line(number: str, side: Any, *joints: str) -> CodeLine:
    return CodeLine(code=number, side=side, joints=list(joints))


def test_claim_lines_find_their_code_lines() -> None:
    left, right, both = line("1", "left", "A"), line("1", "right", "B"), line("2", "bilateral", "C")
    other = line("9", "unspecified")
    result = CodingResult(
        id="a",
        status="coded",
        lines=[left, right, both, other],
        claim=[
            ClaimLine(code="1", modifiers=["RT"]),
            ClaimLine(code="1", modifiers=["LT", "KX"]),
            ClaimLine(code="2", modifiers=["LT"]),
            ClaimLine(code="G9"),
        ],
        versions=Versions(engine="", patterns="", codes="", profile=""),
    )
    assert line_links(result) == [[right], [left], [both], [other]]


def test_profile_of_the_surgery_center_has_a_line_a_side(coder: Coder) -> None:
    text = SAMPLES[1].read_text(encoding="utf-8")
    bundle = code_note(Note(id="a", text=text), lambda note: coder.code(note.text, profile="medicare-asc"))
    items = of_type(bundle, "Claim")[0]["item"]
    assert [(item["modifier"][0]["coding"][0]["code"], item["bodySite"]["text"]) for item in items] == [
        ("RT", "right L4-L5 facet joint"),
        ("LT", "left L4-L5 facet joint"),
        ("RT", "right L5-S1 facet joint"),
        ("LT", "left L5-S1 facet joint"),
    ]
    used = {number for parts in evidence(bundle) for number in parts["line"]}
    assert used == {1, 2, 3, 4}


def test_claim_of_the_hospital_is_institutional(coder: Coder) -> None:
    text = SAMPLES[1].read_text(encoding="utf-8")
    kinds = {}
    for profile in ("cpt", "medicare-asc", "medicare-hopd"):
        bundle = code_note(Note(id="a", text=text), lambda note, name=profile: coder.code(note.text, profile=name))
        kinds[profile] = of_type(bundle, "Claim")[0]["type"]["coding"][0]["code"]
    assert kinds == {"cpt": "professional", "medicare-asc": "professional", "medicare-hopd": "institutional"}
    assert set(vocabulary()["claim"]["institutional_profiles"]) <= coder.book.profiles.keys()


def test_modifiers_to_consider_and_the_year_of_the_day_are_told(coder: Coder) -> None:
    text = (
        "PROCEDURES: L5-S1 interlaminar epidural steroid injection and right L3-4 facet joint injection.\n"
        "TECHNIQUE: Under fluoroscopy the L5-S1 epidural space was entered and 80 mg of methylprednisolone was given."
        " Under fluoroscopy the right L3-4 facet joint was entered and 0.5 mL of bupivacaine was injected."
    )
    note = Note(id="a", text=text, date_of_service="2023-05-01")
    bundle = code_note(note, lambda one: coder.code(one.text, date_of_service=one.date_of_service))
    told = [issue["details"] for issue in of_type(bundle, "OperationOutcome")[0]["issue"]]
    [considered] = [one for one in told if "consider 59" in one.get("text", "")]
    assert considered["text"].startswith("64493: consider 59. If the payer edits it against 62323")
    assert considered["coding"][0]["code"] == "59"
    items = of_type(bundle, "Claim")[0]["item"]
    assert {item["productOrService"]["coding"][0]["version"] for item in items} == {"2023"}
    assert {item["servicedDate"] for item in items} == {"2023-05-01"}


# -- what is read --------------------------------------------------------------------------------------------------


def test_composition_is_read_in_order_under_its_titles(code: Code) -> None:
    bundle = code_resource(body(CASES["document-bundle"]), code)
    assert read_text(bundle) == (
        "Procedure:\nBilateral L4-L5 and L5-S1 facet joint injections\n\nTechnique:\nUnder fluoroscopic guidance "
        "needles were advanced into the L4-5 and L5-S1 facet joints on both sides.\n\n0.5\xa0mL of bupivacaine 0.25% "
        "was injected into each joint."
    )
    [claim] = of_type(bundle, "Claim")
    assert [item["productOrService"]["coding"][0]["code"] for item in claim["item"]] == ["64493", "64494"]
    assert claim["patient"] == {"reference": "urn:uuid:6a7bbd42-5c39-4a1c-9c5c-3f3b4d7a0001"}
    source = read_source(body(CASES["document-bundle"]))
    assert source.authors == ({"reference": "urn:uuid:6a7bbd42-5c39-4a1c-9c5c-3f3b4d7a0002"},)
    assert source.origin == {"reference": "urn:uuid:6a7bbd42-5c39-4a1c-9c5c-3f3b4d7a0000"}
    assert source.day == "2026-02-01"


def test_sections_in_sections_and_sections_of_entries() -> None:
    listed = {"reference": "DocumentReference/d9"}
    gone = {"reference": "Observation/none"}
    inner = section("Right", "<p>L4-5</p>")
    given = composition(
        {"title": "Procedure", "section": [inner]},
        {"code": {"coding": [{"display": "Technique"}]}, "entry": [listed, listed, gone]},
        {"title": "Plan", "text": {"status": "empty", "div": "<div/>"}},
    )
    bundle = in_document_bundle(given, document("Needles were advanced.", id="d9", subject=None))
    source = read_source(body(bundle))
    assert source.text == "Procedure:\n\nRight:\nL4-5\n\nTechnique:\nNeedles were advanced.\n\nPlan:"
    first = "Composition.section[1].entry[2]"
    assert source.remarks == (f"1 listed resources are not at hand or have no text (first: {first})",)
    alone = composition(text={"status": "generated", "div": "<div>All of it</div>"}, section=[{"title": "Procedure"}])
    assert read_source(body(alone)).text == "All of it"


def test_parts_and_charsets_of_a_document_reference() -> None:
    """The same text as from NDJSON: parts of plain text are joined, in their character sets."""
    parts = [("text/plain; charset=iso-8859-1", "one \xe9", "latin-1"), ("text/plain", "two", "utf-8")]
    content = [
        {"attachment": {"contentType": kind, "data": b64encode(text.encode(how)).decode()}} for kind, text, how in parts
    ]
    content.append({"attachment": {"contentType": "application/pdf", "url": "https://a.b/1"}})
    assert read_source(body(document("", content=content))).text == "one \xe9\n\ntwo"


def test_r5_and_contained_references() -> None:
    r5 = document("x", context=[{"reference": "Encounter/e5"}], period={"start": "2026-01-02"})
    source = read_source(body(r5))
    assert (source.encounters, source.day) == (({"reference": "Encounter/e5"},), "2026-01-02")
    inside = {"resourceType": "Patient", "id": "p", "identifier": [{"system": "urn:oid:2.999", "value": "7"}]}
    contained = read_source(body(document("x", subject={"reference": "#p", "display": SECRET}, contained=[inside])))
    assert contained.subject == {"identifier": {"system": "urn:oid:2.999", "value": "7"}}
    group = read_source(body(document("x", subject={"reference": "Group/1"})))
    assert group.subject is None
    assert read_source(body(document("x", subject={"display": "A. Person"}))).subject == {"display": "A. Person"}
    spoiled = {"identifier": {"system": "no address", "value": "7"}, "type": "Patient"}
    assert read_source(body(document("x", subject=spoiled))).subject == {
        "type": "Patient",
        "identifier": {"value": "7"},
    }


def test_remarks_and_superseded_documents_are_told(code: Code) -> None:
    content = [{"attachment": {"contentType": "text/plain", "data": b64encode(b"L4\x965 facet").decode()}}]
    bundle = code_resource(body(document("", content=content, status="superseded")), code)
    told = [issue["details"]["text"] for issue in of_type(bundle, "OperationOutcome")[0]["issue"]]
    assert "not UTF-8, read as Windows-1252 (cp1252)" in told
    assert "the document is marked as superseded" in told


@pytest.mark.parametrize(
    ("resource", "complaint"),
    [
        ([1], "the resource is not a JSON object"),
        (
            {"resourceType": "Patient"},
            "resourceType: DocumentReference, Composition or a Bundle with one of them can be",
        ),
        (
            document("x", status="bogus"),
            "DocumentReference.status: not a code of http://hl7.org/fhir/ValueSet/document-r",
        ),
        (document("x", status=[SECRET]), "DocumentReference.status: not a code"),
        (document("x", docStatus="bogus"), "DocumentReference.docStatus: not a code"),
        (document("x", status="entered-in-error"), "DocumentReference: the document is marked as entered in error"),
        (document("x", docStatus="entered-in-error"), "DocumentReference.docStatus: the document is marked as entered"),
        (document("x", content=[]), "DocumentReference: no attachment"),
        (document(" "), "text is empty"),
        (composition(section("a", "x"), status="bogus"), "Composition.status: not a code"),
        (
            composition(section("a", "x"), status="entered-in-error"),
            "Composition.status: the document is marked as ente",
        ),
        (composition(), "Composition.section: no section holds a text"),
        (composition({"text": {"status": "bogus", "div": "<div>x</div>"}}), "Narrative.status: not a code"),
        (
            composition(section("a", "<script>x</script>")),
            "Composition.section[0].text.div: script and head have no place",
        ),
        (composition(section("a", "\ud800")), "Composition.section[0].text.div: broken Unicode"),
        (
            {"resourceType": "Bundle", "type": "bogus"},
            "Bundle.type: not a code of http://hl7.org/fhir/ValueSet/bundle-t",
        ),
        ({"resourceType": "Bundle"}, "Bundle.type: only document and collection can be read"),
        ({"resourceType": "Bundle", "type": "searchset"}, "Bundle.type: only document and collection can be read"),
        ({"resourceType": "Bundle", "type": "document", "entry": []}, "Bundle.entry: a document begins with its Comp"),
        (
            {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": document("x")}] * 2},
            "Bundle.entry: exactly one DocumentReference or Composition is needed",
        ),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(resource: Any, complaint: str) -> None:
    with pytest.raises(InputError) as caught:
        code_resource(body(resource), stub)
    assert str(caught.value).startswith(complaint)
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


# -- hostile input -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"{" * 100_000,
        b'{"resourceType":' + b"[" * 1_000_000,
        b'{"resourceType": NaN}',
        b'{"resourceType": ' + b"9" * 100_000 + b"}",
        f'{{"resourceType": "DocumentReference", "note": {SECRET}}}'.encode(),
        b" " * (32 * 2**20 + 1),
    ],
    ids=["empty", "no UTF-8", "deep objects", "deep lists", "NaN", "long number", "no JSON", "too long"],
)
def test_hostile_json(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^the resource is (not valid JSON in UTF-8|longer than 32 MB)$") as caught:
        code_resource(data, stub)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("div", "text"),
    [
        ("<p>1 &lt; 2 &amp; &#x33; &nbsp;</p>", "1 < 2 & 3 \xa0"),
        ("<p>a<br/><br />b</p><!-- <p>no</p> -->c", "a\n\nb\n\nc"),
        ("<table><tr><th>Side</th><td>left</td></tr><tr><td>x</td></tr></table>", "Side | left\nx"),
        ("<ul><li>L4-5</li><li>L5-S1</li></ul>", "L4-5\nL5-S1"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<p title=\"a>b\" class='c'>x</p>", "x"),
        ("<xhtml:div><xhtml:p>x</xhtml:p></xhtml:div>", "x"),
        ("<style>p { color: red }</style>x", "x"),
        ("VAS <3 of 10, 5 > 4", "VAS <3 of 10, 5 > 4"),
        ("&lol; &#xD800; &#0;", "&lol; \ufffd \ufffd"),
        ("", ""),
    ],
)
def test_narrative(div: str, text: str) -> None:
    assert xhtml_text(div) == text


@pytest.mark.parametrize(
    "div",
    [
        '<!DOCTYPE lolz [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><div>&b;</div>',
        "<?xml version='1.0'?><div/>",
        "<div><![CDATA[x]]></div>",
        "<!-- no end",
        "<head/>",
        "<style>",
        f"&#{'9' * 100_000};",
    ],
)
def test_what_has_no_place_in_a_narrative(div: str) -> None:
    with pytest.raises(InputError):
        xhtml_text(div)


PIECES = [
    "<",
    "<p",
    "<p ",
    '<p a="',
    "</",
    "<b>",
    "<td>",
    " <td> ",
    "<pre>",
    "<pre>\n",
    "<br/>",
    "<style>a</style>",
    "&a",
]


@pytest.mark.parametrize("piece", PIECES)
def test_a_megabyte_of_markup(piece: str) -> None:
    """Untimed: what is not linear in its length does not come back from this for hours."""
    text = xhtml_text(piece * (2**20 // len(piece)) + "<p>L4-5 left")
    assert text.endswith("L4-5 left")


def test_a_resource_that_is_listed_often_is_read_once() -> None:
    """A small document must not grow into a large text."""
    listed = [{"reference": "DocumentReference/d9"}] * 50_000
    given = composition({"title": "Procedure", "entry": listed}, {"title": "Again", "entry": listed})
    source = read_source(body(in_document_bundle(given, document("facet " * 1000, id="d9"))))
    assert len(source.text) < 7000
    far = composition({"title": "Procedure", "entry": [{}] * 50_000}, section("Technique", "x"))
    assert sum(map(len, read_source(body(far)).remarks)) < 200
    many = document("x", context={"encounter": [{"reference": f"Encounter/{n}"} for n in range(10_000)]})
    assert len(read_source(body(many)).encounters) <= 20


def test_a_resource_without_a_text_is_read_once_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a small body with long markup, listed often, takes hours."""
    read: list[str] = []

    def watched(narrative: object, element: str) -> str:
        read.append(element)
        return narrative_text(narrative, element)

    monkeypatch.setattr("extractor.fhir.composition.narrative_text", watched)
    mute = {"resourceType": "Basic", "id": "b", "text": {"status": "additional", "div": "<div><b></b></div>"}}
    listed = {"title": "Procedure", "entry": [{"reference": "#b"}] * 1000}
    source = read_source(body(composition(listed, section("Technique", "x"), contained=[mute])))
    assert [element for element in read if "entry" in element] == ["Composition.section[0].entry[0].text"]
    assert source.remarks == (
        "1 listed resources are not at hand or have no text (first: Composition.section[0].entry[0])",
    )


def test_sections_too_deep() -> None:
    nested: dict[str, Any] = section("x", "x")
    for _ in range(50):
        nested = {"title": "x", "section": [nested]}
    with pytest.raises(InputError, match="more than 20 sections in each other"):
        code_resource(body(composition(nested)), stub)


def test_text_that_no_fhir_string_can_hold(code: Code) -> None:
    """Control characters stay in the text and in the offsets; a quote with one is left out."""
    text = "PROCEDURE: Left L4\x0b-5 facet joint injection under fluoroscopy.\n0.5 mL of bupivacaine was injected.\x00"
    bundle = code_note(Note(id="a", text=text), code)
    checked(bundle, every_evidence=True)
    assert read_text(bundle) == text
    assert list(evidence(bundle))
    for parts in evidence(bundle):
        words = text[parts["start"] : parts["end"]]
        assert parts.get("quote") == (words if is_string(words) else None)


KEYS = """resourceType id type status docStatus entry resource fullUrl section title code coding display text div
content attachment contentType data context encounter period start date subject author reference identifier system value
contained event""".split()
VALUES = """Bundle document collection Composition DocumentReference text/plain ZmFjZXQ= #a current generated
Practitioner/1 <div><p>side?facet</p></div> 2026-01-01""".split()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(KEYS), inner | st.sampled_from([*VALUES, SECRET, "\ud800"]))
    ),
    max_leaves=30,
)


@hostile
@given(json_values, st.sampled_from(["content", "section", "subject", "context", "author", "contained", "identifier"]))
def test_resources_of_any_shape(value: Any, name: str) -> None:
    """Whatever stands in it: a valid Bundle, or one line."""
    text = composition(section("Technique", "facet side?"))
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [value, {"resource": document("facet")}]}
    for resource in (value, document("facet side?", **{name: value}), text | {name: value}, bundle):
        try:
            answer = code_resource(body(resource), stub)
        except InputError as error:
            complaint = str(error)
        else:
            checked(answer, every_evidence=True)
            json.dumps(answer, ensure_ascii=False).encode()
            continue
        assert "\n" not in complaint
        assert SECRET not in complaint


# -- the same bytes ------------------------------------------------------------------------------------------------


def test_same_input_same_bytes(code: Code) -> None:
    for resource in CASES.values():
        once, again = (json.dumps(code_resource(body(resource), code)) for _ in range(2))
        assert once == again


def test_ids_follow_the_content(code: Code) -> None:
    first = code_resource(body(CASES["document-reference"]), code)
    other = code_resource(body(CASES["document-reference"] | {"subject": {"reference": "Patient/p2"}}), code)
    ids = [{entry["resource"]["id"] for entry in bundle["entry"]} | {bundle["id"]} for bundle in (first, other)]
    assert not ids[0] & ids[1]


def test_recorded_is_what_the_caller_says(code: Code) -> None:
    day = "2026-02-04T09:00:00Z"
    bundle = code_resource(body(CASES["document-reference"]), code, recorded=day)
    [claim], [provenance] = of_type(bundle, "Claim"), of_type(bundle, "Provenance")
    assert (claim["created"], provenance["recorded"]) == (day, day)
    checked(bundle)
    with pytest.raises(InputError, match="recorded is not an instant"):
        code_resource(body(CASES["document-reference"]), code, recorded="2026-02-04")


def test_day_for_documents_without_one(code: Code) -> None:
    seen: list[Note] = []

    def watched(note: Note) -> CodingResult:
        seen.append(note)
        return code(note)

    bundle = code_resource(body(CASES["no-references"]), watched, date_of_service="2026-05-06")
    assert (seen[0].id, seen[0].date_of_service) == ("op-note-1", "2026-05-06")
    assert of_type(bundle, "Claim")[0]["item"][0]["servicedDate"] == "2026-05-06"


# -- the command ---------------------------------------------------------------------------------------------------


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "extractor", "code", "--format", "fhir", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, check=False, input=stdin)


def test_command(tmp_path: Path, code: Code) -> None:
    text = SAMPLES[0].read_text(encoding="utf-8")
    resource, wrong = tmp_path / "doc.json", tmp_path / "wrong.json"
    resource.write_bytes(body(CASES["document-reference"]))
    wrong.write_text(f"not JSON, {SECRET}")
    done = run(str(SAMPLES[0]), str(resource), str(wrong))
    assert done.returncode == 1
    plain, coded = map(json.loads, done.stdout.decode().splitlines())
    assert coded == code_resource(body(CASES["document-reference"]), code)
    assert plain == code_note(Note(id=SAMPLES[0].stem, text=text), code)
    assert done.stderr.decode() == f"facetcode: {wrong}: the resource is not valid JSON in UTF-8\n"
    piped = run("-", "--date-of-service", "2026-05-06", stdin=body(CASES["no-references"]))
    assert of_type(json.loads(piped.stdout), "Claim")[0]["item"][0]["servicedDate"] == "2026-05-06"
    note = run("-", "--date-of-service", "2026-05-06", stdin=text.encode())
    assert of_type(json.loads(note.stdout), "Claim")[0]["item"][0]["servicedDate"] == "2026-05-06"


def test_missing_extra_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "fhir.resources.R4B", None)
    with pytest.raises(InputError, match=r"^FHIR needs fhir\.resources: pip install 'facetcode\[fhir\]'$"):
        code_resource(b"{}", stub)
    with pytest.raises(SystemExit) as stopped:
        cli.main(["code", "--format", "fhir", str(SAMPLES[0])])
    assert stopped.value.code == 2
    assert capfd.readouterr().err == "facetcode: FHIR needs fhir.resources: pip install 'facetcode[fhir]'\n"


@pytest.mark.parametrize("entry", ["extractor.fhir", "extractor.fhir.attachments", "extractor.batch.sources"])
def test_the_door_is_light(entry: str) -> None:
    probe = f"import sys, {entry}; assert not {{'fhir', 'fhir_core', 'spacy'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", probe], cwd=ROOT, check=True)


# -- the page ------------------------------------------------------------------------------------------------------


def test_example_of_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for block in blocks("python", PAGE):
        exec(compile(block, "docs/fhir.md", "exec"), {})


def test_page_names_what_is_published() -> None:
    for path in PUBLISHED:
        assert f"fhir/{path.name}" in PAGE
    for url in (EVIDENCE, JOINT, LATERALITY):
        assert url in PAGE
    for element in vocabulary()["bindings"]:
        assert f"`{element}`" in PAGE
