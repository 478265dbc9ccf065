"""The routes, the refusals and what every answer carries; coded by a stub in this process."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import sqlite3
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from service_server import InlinePool
from stubs import SECRET, stub_code

from extractor import Coder
from extractor.errors import InputError
from extractor.schema import CodingResult, Note
from extractor.service import app as application
from extractor.service import assets, desk, gate, openapi, security
from extractor.service.app import create_app
from extractor.service.metrics import Metrics
from extractor.service.settings import Settings, is_loopback, token_of
from extractor.service.store import Store
from extractor.service.worker import Answer, AnyJob, Busy, FhirJob

TOKEN = "0123456789abcdef"
REVIEW = {
    "id": "n1",
    "text": f"{SECRET} facet",
    "profile": "cpt",
    "versions": {"engine": "0", "patterns": "0", "codes": "2026", "profile": "cpt"},
    "status": "coded",
    "lines": [{"decision": "accepted", "code": "64493", "side": "left", "joints": ["L4-L5"]}],
}


def client(kept: Path | None = None, **options: Any) -> TestClient:
    settings = Settings(workers=1, max_chars=2000, batch_limit=3, store=kept, **options)
    store = Store(kept) if kept else None
    return TestClient(create_app(settings, InlinePool(), store), base_url="http://localhost")


@pytest.fixture
def service() -> Iterator[TestClient]:
    with client() as found:
        yield found


def problem(response: httpx.Response, status: int, kind: str) -> str:
    """The detail of an answer that must be this problem and hold nothing of the note."""
    found = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert (response.status_code, found["status"], found["type"]) == (status, status, f"urn:facetcode:problem:{kind}")
    assert found["request_id"] == response.headers["x-request-id"]
    assert found["title"]
    assert SECRET not in response.text
    assert "Zebediah" not in response.text
    detail: str = found["detail"]
    return detail


# -- coding ----------------------------------------------------------------------------------------------------------


def test_a_result_is_the_bytes_of_the_library(service: TestClient) -> None:
    note = {"text": f"{SECRET} facet, side?", "id": "n/1", "profile": "medicare", "date_of_service": "2026-01-31"}
    response = service.post("/v1/code", json=note)
    assert response.headers["content-type"] == "application/json"
    assert response.content == stub_code(**note).to_json().encode()


def test_offsets_in_the_unit_that_is_asked_for(service: TestClient) -> None:
    starts = {
        unit: service.post(f"/v1/code?offsets={unit}", json={"text": "\U0001f9b4 facet"}).json()["lines"][0][
            "evidence"
        ][0]["start"]
        for unit in ("codepoint", "utf16", "utf8")
    }
    assert starts == {"codepoint": 2, "utf16": 3, "utf8": 5}


def test_a_batch_has_an_outcome_for_each_note_in_order(service: TestClient) -> None:
    notes = [{"id": 'a"\u00e9', "text": "facet"}, {"id": "b", "text": "crash"}, {"id": "a", "text": "x" * 2001}]
    response = service.post("/v1/code/batch?offsets=utf16", json={"notes": notes})
    assert response.status_code == 200
    first, second, third = response.json()["results"]
    assert CodingResult.model_validate(first["result"]) == stub_code("facet", 'a"\u00e9')
    assert (second["id"], second["error"]["status"]) == ("b", 500)
    assert second["error"]["detail"] == "The note: could not be coded (ValueError)."
    assert (third["id"], third["error"]["status"]) == ("a", 413)
    assert third["error"]["request_id"] == response.headers["x-request-id"]
    assert service.post("/v1/code/batch", json={"notes": []}).json() == {"results": []}
    too_many = service.post("/v1/code/batch", json={"notes": [{"text": "x"}] * 4})
    assert problem(too_many, 413, "too-large") == "body.notes: At most 3 notes."


def test_a_batch_of_too_many_notes_is_refused_before_they_are_looked_at(
    service: TestClient,
) -> None:
    """Millions of elements fit into a body; each would become a note, or an error."""
    for notes in ([{"text": "x"}] * 4, [{}] * 4, [0] * 4):
        too_many = service.post("/v1/code/batch", json={"notes": notes})
        assert problem(too_many, 413, "too-large") == "body.notes: At most 3 notes."
    for wrong, status in ((b"", 422), (b"[]", 422), (b"{", 400), (b'{"notes": 1}', 422), (b"\xff", 400)):
        headers = {"content-type": "application/json"}
        assert service.post("/v1/code/batch", content=wrong, headers=headers).status_code == status


def test_an_object_of_many_unknown_keys_is_one_error(service: TestClient, tmp_path: Path) -> None:
    many = {f"{SECRET} {number}": 0 for number in range(1000)}
    told = "An object with too many keys."
    one = service.post("/v1/code", json={"text": "x", **many})
    assert problem(one, 422, "wrong-request") == f"body: {told}"
    batch = service.post("/v1/code/batch", json={"notes": [{"text": "x", **many}]})
    assert problem(batch, 422, "wrong-request") == f"body.notes.0: {told}"
    with client(tmp_path / "s.sqlite") as keeping:
        versions = {**REVIEW["versions"], **many}  # type: ignore[dict-item]
        review = keeping.post("/v1/decisions", json=REVIEW | {"versions": versions})
        assert problem(review, 422, "wrong-request") == f"body.versions: {told}"


def test_a_fault_in_a_note_is_told_by_its_kind(service: TestClient) -> None:
    response = service.post("/v1/code", json={"text": f"{SECRET} crash"})
    assert problem(response, 500, "note-fault") == "The note: could not be coded (ValueError)."


# -- refusals: the request is wrong ----------------------------------------------------------------------------------

WRONG = [
    ("not-json", 400, b'{"text": "%s' % SECRET.encode(), "The body is not valid JSON."),
    ("not-json", 400, b"\xff\xfe\xfd", "The body is not valid JSON."),
    ("not-json", 400, b'{"text": "\xff"}', "The body is not valid JSON."),
    ("not-json", 400, b'{"text": "\\q"}', "The body is not valid JSON."),
    ("not-json", 400, b"[" * 50_000, "The body is not valid JSON."),
    ("not-json", 400, b'{"text": %s}' % (b"9" * 5000), "The body is not valid JSON."),
    ("wrong-request", 422, b"", "body: Field required."),
    ("wrong-request", 422, b"{}", "body.text: Field required."),
    ("wrong-request", 422, b"[]", "body: Input should be a valid dictionary or object to extract fields from."),
    ("wrong-request", 422, b'{"text": NaN}', "body.text: Input should be a valid string."),
    ("wrong-request", 422, b'{"text": 99999999999999999999}', "body.text: Input should be a valid string."),
    ("wrong-request", 422, b'{"text": ["%s"]}' % SECRET.encode(), "body.text: Input should be a valid string."),
    (
        "wrong-request",
        422,
        b'{"text": "%s \\ud800"}' % SECRET.encode(),
        "body.text: Input should be a valid string, unable to parse raw data as a unicode string.",
    ),
    ("wrong-request", 422, b'{"text": "x", "%s": 1}' % SECRET.encode(), "body.?: Extra inputs are not permitted."),
    ("wrong-request", 422, b'{"text": " \\n"}', "body.text: String should match pattern '\\S'."),
    ("wrong-request", 422, b'{"text": "x", "id": ""}', "body.id: String should have at least 1 character."),
    (
        "wrong-request",
        422,
        b'{"text": "x", "profile": "%s"}' % SECRET.encode(),
        "body.profile: One of cpt, medicare, medicare-asc, medicare-hopd.",
    ),
    (
        "wrong-request",
        422,
        b'{"text": "x", "date_of_service": "2026-02-30"}',
        "body.date_of_service: Not a day of the calendar like 2026-01-31.",
    ),
    ("too-large", 413, b'{"text": "%s"}' % (b"x" * 2001), "body.text: It may have 2000 characters."),
    ("too-large", 413, b'{"text": "%s"}' % (b"x" * 80_000), "The body may have 77536 bytes."),
]


@pytest.mark.parametrize(("kind", "status", "body", "detail"), WRONG, ids=[str(n) for n in range(len(WRONG))])
def test_a_wrong_body_is_a_problem_that_names_the_field(
    service: TestClient, kind: str, status: int, body: bytes, detail: str
) -> None:
    response = service.post("/v1/code", content=body, headers={"content-type": "application/json"})
    assert problem(response, status, kind) == detail


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": "a\\u0000facet"}',
        b'{"text": "first", "text": "facet"}',
        '{"text": "facet"}'.encode("utf-16"),
        b'\xef\xbb\xbf{"text": "facet"}',
        b' {"text": "facet \\ud83e\\uddb4", "id": "\\u0000", "profile": null} ',
    ],
)
def test_odd_but_valid_json_is_coded(service: TestClient, body: bytes) -> None:
    response = service.post("/v1/code", content=body, headers={"content-type": "application/json; charset=utf-8"})
    assert response.json()["status"] == "coded"


def test_many_wrong_fields_are_told_in_part(service: TestClient) -> None:
    notes = [{"text": 1, "id": 1, "profile": 1}] * 3
    told = problem(service.post("/v1/code/batch", json={"notes": notes}), 422, "wrong-request")
    assert told.startswith("body.notes.0.text: Input should be a valid string; body.notes.0.id: ")
    assert told.endswith("; and 4 more.")


def test_a_wrong_query_is_told(service: TestClient) -> None:
    response = service.post(f"/v1/code?offsets={SECRET}", json={"text": "x"})
    told = problem(response, 422, "wrong-request")
    assert told == "query.offsets: Input should be 'codepoint', 'utf16' or 'utf8'."


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/fhir+json"])
def test_a_body_that_is_not_said_to_be_json_is_refused(service: TestClient, kind: str) -> None:
    """A page of another origin can send the others without asking first."""
    response = service.post("/v1/code", content=b'{"text": "facet"}', headers={"content-type": kind})
    assert problem(response, 415, "wrong-media-type") == "Send Content-Type: application/json."


def test_paths_and_methods_that_are_not_there(service: TestClient) -> None:
    for path in (f"/{SECRET}", "/v1/decisions", "/v1/code/", "/docs", "/redoc", "/v1", "/page", "/page/"):
        problem(service.get(path), 404, "not-found")
    for method, path in (("DELETE", "/v1/code"), ("GET", "/v1/code"), ("POST", "/metrics"), ("PATCH", "/")):
        response = service.request(method, path)
        problem(response, 405, "wrong-method")
        assert response.headers["allow"]


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_TIMEOUT", 0.05)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if sent:
            raise AssertionError("answered already")
        await asyncio.sleep(60)
        raise AssertionError("waited")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/code", "headers": [(b"host", b"localhost")]}
    watched = gate.Gate(None, Settings(workers=1), Metrics())  # type: ignore[arg-type]
    asyncio.run(watched(scope, receive, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]
    assert json.loads(sent[1]["body"])["type"] == "urn:facetcode:problem:request-timeout"


# -- refusals: who asks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("listens", "host", "allowed"),
    [
        ("127.0.0.1", "localhost", True),
        ("127.0.0.1", "LOCALHOST:8000", True),
        ("127.0.0.1", "127.0.0.1:1", True),
        ("::1", "[::1]:8000", True),
        ("127.0.0.2", "127.0.0.2", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("127.0.0.1", "evil.example", False),
        ("127.0.0.1", "localhost.evil.example", False),
        ("127.0.0.1", "localhost@evil.example", False),
        ("127.0.0.1", "localhost:8000:8000", False),
        ("127.0.0.1", "", False),
        ("0.0.0.0", "any.example", True),
    ],
)
def test_on_loopback_only_our_own_names_are_answered(listens: str, host: str, allowed: bool) -> None:
    with client(host=listens) as service:
        for path in ("/", "/healthz", "/metrics"):
            response = service.get(path, headers={"host": host})
            if allowed:
                assert response.json() == {"status": "ok"} if path == "/healthz" else response.status_code in (200, 404)
            else:
                problem(response, 400, "wrong-host")


@pytest.mark.parametrize(
    ("shown", "allowed"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer  {TOKEN}", True),
        ("", False),
        ("Bearer", False),
        (TOKEN, False),
        (f"Basic {TOKEN}", False),
        (f"Bearer {TOKEN[:-1]}", False),
        (f"Bearer {TOKEN}0", False),
        (f"Bearer {TOKEN} {TOKEN}", False),
        (f"Bearer {TOKEN.upper()}", False),
    ],
)
def test_with_a_token_only_who_shows_it_is_answered(shown: str, allowed: bool) -> None:
    with client(host="0.0.0.0", token=TOKEN) as service:
        headers = {"authorization": shown} if shown else {}
        for method, path in (("POST", "/v1/code"), ("GET", "/v1/versions"), ("GET", "/metrics"), ("GET", "/nothing")):
            response = service.request(method, path, headers=headers, json={"text": "facet"})
            if allowed:
                assert response.status_code in (200, 404)
            else:
                problem(response, 401, "no-token")
                assert response.headers["www-authenticate"] == "Bearer"
                assert TOKEN not in response.text
        for path in ("/healthz", "/readyz", "/openapi.json"):  # nothing of anybody
            assert service.get(path).status_code == 200


def test_a_token_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    monkeypatch.setattr(security.hmac, "compare_digest", lambda one, other: compared.append((one, other)) or False)
    with client(token=TOKEN) as service:
        service.get("/metrics", headers={"authorization": "Bearer wrong"})
        service.get("/metrics")
    assert compared == [(b"wrong", TOKEN.encode()), (b"", TOKEN.encode())]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "holds no token"),
        (b" \n", "holds no token"),
        (b"short", "shorter than 16"),
        (b"\xff" * 20, "not UTF-8"),
        (b"two words of some length", "not one word"),
        ("\u00e9".encode() * 20, "not one word"),
    ],
)
def test_a_poor_token_is_refused_without_its_content(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "token"
    path.write_bytes(content)
    with pytest.raises(InputError, match=why) as error:
        token_of("0.0.0.0", path)
    assert "short" not in str(error.value).replace("shorter", "")
    assert "words" not in str(error.value)


def test_an_address_that_others_reach_needs_a_token(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert token_of("0.0.0.0", path) == TOKEN
    assert token_of("localhost", None) == ""
    for host in ("0.0.0.0", "::", "192.168.1.7", "example.org", ""):
        assert not is_loopback(host)
        with pytest.raises(InputError, match="needs --token-file"):
            token_of(host, None)
    with pytest.raises(InputError, match="cannot be read"):
        token_of("0.0.0.0", tmp_path / "gone")


# -- what every answer carries ---------------------------------------------------------------------------------------


def test_every_answer_has_the_headers_and_none_opens_it_to_others(service: TestClient) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    answers = [
        service.post("/v1/code", json={"text": "facet"}, headers=asked),
        service.post("/v1/code", json={}, headers=asked),
        service.options("/v1/code", headers=asked),
        service.get("/gone", headers=asked),
        service.get("/healthz", headers=asked | {"host": "evil.example"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 405, 404, 400]
    for answer in answers:
        for name, value in security.HEADERS.items():
            assert answer.headers[name] == value
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("req-1.2_3", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("a b", False),
        ("", False),
        ("a\u00e9", False),
        ("<script>", False),
        ("a\tb", False),
    ],
)
def test_the_id_of_a_request_is_kept_when_it_is_short_and_plain(service: TestClient, given: str, kept: bool) -> None:
    response = service.get("/healthz", headers={"x-request-id": given.encode("latin-1")})
    assert (response.headers["x-request-id"] == given) is kept
    assert response.headers["x-request-id"]


def test_versions(service: TestClient, tmp_path: Path) -> None:
    found = service.get("/v1/versions").json()
    assert found["profiles"] == ["cpt", "medicare", "medicare-asc", "medicare-hopd"]
    assert (found["limits"], found["store"]) == ({"max_chars": 2000, "batch": 3}, False)
    versions = Coder().code("x").versions
    assert (found["engine"], found["patterns"], found["codes"]) == (versions.engine, versions.patterns, versions.codes)


def test_the_page_is_served_from_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, content in {"index.html": "<p>page", "app.js": "1", "sub/b.css": "c", ".env": "no", "x.py": "no"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    files = assets.load(tmp_path)
    monkeypatch.setattr(application.assets, "load", lambda: files)
    with client(token=TOKEN) as service:
        assert service.get("/").text == "<p>page"
        assert service.get("/").headers["content-type"] == "text/html; charset=utf-8"
        assert service.get("/page/app.js").headers["content-type"] == "text/javascript; charset=utf-8"
        assert service.get("/page/sub/b.css").text == "c"
        for name in (".env", "x.py", "gone.js", "../settings.py", "..%2fsettings.py", "%2e%2e/app.py"):
            assert service.get(f"/page/{name}").status_code in (401, 404)


# -- decisions and FHIR ----------------------------------------------------------------------------------------------


def test_decisions_are_kept_only_with_a_store(service: TestClient, tmp_path: Path) -> None:
    problem(service.post("/v1/decisions", json=REVIEW), 404, "not-found")
    with client(tmp_path / "s.sqlite") as keeping:
        assert keeping.get("/v1/versions").json()["store"] is True
        for count in (1, 2):
            response = keeping.post("/v1/decisions", json=REVIEW)
            assert (response.status_code, response.json()) == (201, {"id": "n1", "stored": count})
        line = REVIEW["lines"][0]  # type: ignore[index]
        for lines, told in (
            ([{**line, "decision": "edited"}], "body.lines.0: An edited line needs what was proposed."),
            ([{**line, "side": SECRET}], "body.lines.0.side: Input should be"),
            ([{**line, "code": SECRET}], "body.lines.0.code: String should match pattern"),
            ([line] * 201, "body.lines: List should have at most 200 items"),
        ):
            wrong = keeping.post("/v1/decisions", json=REVIEW | {"lines": lines})
            assert problem(wrong, 422, "wrong-request").startswith(told)
        problem(keeping.post("/v1/decisions", json=REVIEW | {"text": "x" * 2001}), 413, "too-large")
        problem(keeping.post("/v1/decisions", json=REVIEW | {"profile": "gold"}), 422, "wrong-request")


def test_a_store_that_fails_is_a_503(tmp_path: Path) -> None:
    with client(tmp_path / "s.sqlite") as service:
        with sqlite3.connect(tmp_path / "s.sqlite") as other:
            other.execute("DROP TABLE decisions")
        response = service.post("/v1/decisions", json=REVIEW)
        assert problem(response, 503, "store-unavailable") == "The decisions were not kept."
        assert response.headers["retry-after"] == "1"


def test_fhir_is_there_when_its_library_is(service: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def code_resource(body: bytes, code: Any, **_: Any) -> dict[str, Any]:
        found = json.loads(body)
        if "text" not in found:
            raise InputError("no attachment")
        return {"resourceType": "Bundle", "status": code(Note(id="n", text=found["text"])).status}

    monkeypatch.setitem(sys.modules, "extractor.fhir", types.SimpleNamespace(code_resource=code_resource))
    monkeypatch.setattr(application, "find_spec", lambda name: name)
    with client() as fhir:
        headers = {"content-type": "application/fhir+json"}
        answer = fhir.post("/v1/fhir/code", content=b'{"text": "facet"}', headers=headers)
        assert answer.headers["content-type"] == "application/fhir+json"
        assert answer.json() == {"resourceType": "Bundle", "status": "coded"}
        wrong = fhir.post("/v1/fhir/code", content=b"{}", headers=headers)
        assert problem(wrong, 422, "wrong-request") == "no attachment."
        long = fhir.post("/v1/fhir/code", content=b'{"text": "%s"}' % (b"x" * 2001), headers=headers)
        problem(long, 413, "too-large")
        crash = fhir.post("/v1/fhir/code", content=b'{"text": "crash"}', headers=headers)
        problem(crash, 500, "note-fault")
    monkeypatch.setattr(application, "find_spec", lambda name: None)
    with client() as plain:
        problem(plain.post("/v1/fhir/code", content=b"{}", headers=headers), 404, "not-found")


def test_a_fhir_body_goes_to_the_pool_as_it_came_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that reading it, like coding it, is bounded in time and number and cannot end or hold up the server."""
    monkeypatch.setattr(application, "find_spec", lambda name: name)
    jobs: list[AnyJob] = []

    async def full(_: InlinePool, job: AnyJob) -> Answer:
        jobs.append(job)
        raise Busy("too many notes wait to be coded")

    monkeypatch.setattr(InlinePool, "code", full)
    with client() as fhir:
        headers = {"content-type": "application/fhir+json"}
        problem(fhir.post("/v1/fhir/code", content=b"no JSON", headers=headers), 503, "busy")
        asked = {"profile": "medicare", "date_of_service": "2026-01-31", "recorded": "2026-02-01T08:00:00Z"}
        fhir.post("/v1/fhir/code", params=asked, content=b"no JSON", headers=headers)
        for wrong, told in (
            ({"profile": SECRET}, "query.profile: One of cpt, medicare, medicare-asc, medicare-hopd."),
            ({"date_of_service": SECRET}, "query.date_of_service: Not a day of the calendar like 2026-01-31."),
            ({"recorded": SECRET * 9}, "query.recorded: String should have at most 40 characters."),
        ):
            response = fhir.post("/v1/fhir/code", params=wrong, content=b"", headers=headers)
            assert problem(response, 422, "wrong-request") == told
        operation = fhir.get("/openapi.json").json()["paths"]["/v1/fhir/code"]["post"]
    assert jobs == [FhirJob(b"no JSON", 2000), FhirJob(b"no JSON", 2000, *asked.values())]
    told_of = {parameter["name"]: parameter["schema"]["anyOf"][0] for parameter in operation["parameters"]}
    assert told_of["profile"]["enum"] == ["cpt", "medicare", "medicare-asc", "medicare-hopd"]
    assert told_of["date_of_service"]["format"] == "date"
    assert told_of.keys() == asked.keys()


def test_a_fhir_document_is_coded_as_the_query_asks(service: TestClient) -> None:
    pytest.importorskip("fhir.resources", reason="the extra fhir")
    data = base64.b64encode(b"facet").decode()
    content = [{"attachment": {"contentType": "text/plain", "data": data}}]
    document = {"resourceType": "DocumentReference", "status": "current", "content": content}
    asked = {"profile": "medicare", "date_of_service": "2025-01-31", "recorded": "2026-02-01T08:00:00Z"}

    def answer(query: dict[str, str]) -> httpx.Response:
        headers = {"content-type": "application/fhir+json"}
        return service.post("/v1/fhir/code", params=query, content=json.dumps(document), headers=headers)

    [provenance] = [
        entry["resource"]
        for entry in answer(asked).json()["entry"]
        if entry["resource"]["resourceType"] == "Provenance"
    ]
    assert provenance["recorded"] == asked["recorded"]
    versions = json.dumps(provenance)
    assert '"medicare"' in versions
    assert '"2025-01-31"' in versions  # the stub tells the day as the year of its codes
    wrong = answer({"recorded": SECRET})
    assert problem(wrong, 422, "wrong-request") == "recorded is not an instant like 2026-01-31T08:00:00Z."


# -- what is written down --------------------------------------------------------------------------------------------


def test_nothing_of_a_note_is_logged_counted_or_told(
    service: TestClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)

    async def fault(*_: object) -> None:
        raise RuntimeError(f"cannot read {SECRET}")

    headers = {"content-type": "application/json", "authorization": SECRET, "user-agent": SECRET}
    asked = [
        service.post(f"/v1/code?offsets=utf8&q={SECRET}", content=body, headers=headers)
        for body in (
            b'{"text": "%s facet side?"}' % SECRET.encode(),
            b'{"text": "%s crash"}' % SECRET.encode(),
            b'{"text": "%s", "%s": 1}' % (SECRET.encode(), SECRET.encode()),
            b'{"text": "%s' % SECRET.encode(),
        )
    ]
    asked.append(service.request(SECRET.replace(" ", ""), "/v1/code"))
    asked.append(service.get(f"/{SECRET}"))
    monkeypatch.setattr(desk.Desk, "code", fault)
    asked.append(service.post("/v1/code", json={"text": SECRET}))
    assert [answer.status_code for answer in asked] == [200, 500, 422, 400, 405, 404, 500]
    problem(asked[-1], 500, "fault")
    told = "\n".join([*(answer.text for answer in asked[1:]), service.get("/metrics").text])
    logged = "\n".join(security.PlainFormatter("%(name)s %(message)s").format(record) for record in caplog.records)
    ours = "\n".join(line for line in logged.splitlines() if not line.startswith("http"))
    assert "facetcode.service POST /v1/code 200" in ours
    assert "facetcode.service GET unmatched 404" in ours
    assert "facetcode.service other /v1/code 405" in ours
    assert "a request ended with a fault (RuntimeError)" in ours
    for word in (*SECRET.split(), "q="):
        assert word not in told
        assert word not in ours


def test_a_log_line_tells_an_exception_by_its_type() -> None:
    try:
        raise ValueError(SECRET)
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, "", 1, "went wrong", None, (ValueError, error, error.__traceback__)
        )
    assert security.PlainFormatter("%(message)s").format(record) == "went wrong\nValueError"
    assert security.log_config()["formatters"]["plain"]["()"] is security.PlainFormatter  # type: ignore[index]


def test_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI would send exceptions with their messages to whatever the environment names."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    with client() as service:
        settings = service.app._telemetry  # type: ignore[attr-defined]
        kinds = ("tracing", "metrics", "logs", "operation_spans", "auto_configure")
        assert [settings[kind] for kind in kinds] == [False] * len(kinds)


def test_figures(service: TestClient) -> None:
    for text in ("facet", "facet", "side?", "plain", "crash"):
        service.post("/v1/code", json={"text": text})
    service.post("/v1/code", json={})
    service.get("/gone")
    response = service.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert {key[1]: value for key, value in found.items() if key[0] == "facetcode_notes_total"} == {
        "coded": 2,
        "review": 1,
        "no_code": 1,
        "failed": 1,
    }
    assert found["facetcode_queries_total", "missing_side"] == 1
    assert found["facetcode_http_requests_total", "POST", "/v1/code", "200"] == 4
    assert found["facetcode_http_requests_total", "POST", "/v1/code", "422"] == 1
    assert found["facetcode_http_requests_total", "GET", "unmatched", "404"] == 1
    assert found["facetcode_http_request_seconds_count", "/v1/code"] == 6
    assert (found["facetcode_workers_ready",], found["facetcode_queue_length",]) == (1, 0)


# -- the description -------------------------------------------------------------------------------------------------


def test_the_examples_are_what_the_coder_gives(coder: Coder) -> None:
    """Lists of the example are shortened; all that stands in them is in the result."""
    example = openapi.examples()["code"]
    result = json.loads(coder.code(**example["request"]).to_json())
    CodingResult.model_validate(example["200"])

    def within(shown: Any, true: Any, path: str) -> None:
        if path in (".versions.patterns", ".versions.profile_hash"):  # these follow every edit of a row
            return
        if isinstance(shown, dict):
            assert shown.keys() == true.keys(), path
            for key in shown:
                within(shown[key], true[key], f"{path}.{key}")
        elif isinstance(shown, list) and path.endswith(("evidence", "entities")):
            assert shown
            assert all(part in true for part in shown), path
        elif isinstance(shown, list):
            assert len(shown) == len(true), path
            for one, other in zip(shown, true, strict=True):
                within(one, other, path)
        else:
            assert shown == true, path

    within(example["200"], result, "")


def test_the_example_of_a_review_is_taken(tmp_path: Path) -> None:
    with client(tmp_path / "s.sqlite") as service:
        example = openapi.examples()["decisions"]
        response = service.post("/v1/decisions", json=example["request"])
        assert (response.status_code, response.json()) == (201, example["201"])


def test_the_description_tells_limits_and_problems(service: TestClient) -> None:
    found = service.get("/openapi.json").json()
    schemas = found["components"]["schemas"]
    assert schemas["CodeRequest"]["properties"]["text"]["maxLength"] == 2000
    assert schemas["BatchRequest"]["properties"]["notes"]["maxItems"] == 3
    assert schemas["CodingResult"]["properties"].keys() == CodingResult.model_fields.keys()
    assert "HTTPValidationError" not in schemas
    responses = found["paths"]["/v1/code"]["post"]["responses"]
    assert {"200", "400", "408", "413", "415", "422", "500", "503"} == responses.keys()
    for status in responses.keys() - {"200"}:
        assert responses[status]["content"].keys() == {"application/problem+json"}
    assert "security" not in found["paths"]["/v1/code"]["post"]
    with client(token=TOKEN) as guarded:
        found = guarded.get("/openapi.json").json()
    assert found["paths"]["/v1/code"]["post"]["security"] == [{"token": []}]
    assert "401" in found["paths"]["/metrics"]["get"]["responses"]
    assert "401" not in found["paths"]["/healthz"]["get"]["responses"]
