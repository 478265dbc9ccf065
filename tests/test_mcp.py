"""The tools for agents: in memory and over the real standard input and output, with the SDK's own client."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
from stubs import SECRET, stub_code

pytest.importorskip("mcp", reason="set up with requirements.lock")

import anyio
import jsonschema
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp_types import CallToolResult

from extractor import cli, mcp_tools
from extractor.explain import Verdict
from extractor.mcp_server import build_server
from extractor.mcp_tools import ToolFault, Tools
from extractor.schema import CodingResult

if TYPE_CHECKING:
    from extractor import Coder

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"}
COMMAND = StdioServerParameters(command=sys.executable, args=["-m", "extractor", "mcp"], env=ENVIRONMENT)
FIRST, SECOND = "64493", "64494"
NOTE = f"""Patient: {SECRET}\r
PROCEDURE: Right L4\u20135 facet joint injection under fluoroscopy.\r
TECHNIQUE: The right L4-5 facet joint was entered and 1 mL of bupivacaine was injected \U0001f600.
The right L5-S1 joint was not injected."""
HOSTILE = [
    pytest.param(
        {"text": NOTE, "profile": f"cpt {SECRET}"}, "no such profile; known profiles: cpt, medicare", id="profile"
    ),
    pytest.param({"text": NOTE, "date_of_service": SECRET}, "date_of_service: Value error, no date", id="date"),
    pytest.param({"text": NOTE, "id": SECRET * 50}, "id: String should have at most 200 characters", id="long-id"),
    pytest.param({"text": NOTE, SECRET: 1}, "there is an argument of an unknown name", id="unknown-argument"),
    pytest.param({"note": NOTE}, "text: Field required; there is an argument of an unknown name", id="no-text"),
    pytest.param({"text": {"a": NOTE}}, "text: Input should be a valid string", id="no-string"),
    pytest.param({"text": None, "id": [SECRET]}, "text: Input should be a valid string; id: Input", id="null"),
    pytest.param({"text": SECRET * 20_000}, "text: longer than 200000 characters", id="too-long"),
    pytest.param({}, "text: Field required", id="nothing"),
]
EXPLAIN_HOSTILE = [
    pytest.param({"text": NOTE}, "code: Field required", id="no-code"),
    pytest.param({"text": NOTE, "code": SECRET}, "code: String should match pattern", id="code"),
    pytest.param({"text": NOTE, "code": FIRST + "\n"}, "code: String should match pattern", id="code-line"),
    pytest.param({"text": NOTE, "code": FIRST, "side": SECRET}, "side: Input should be 'left', 'right'", id="side"),
    pytest.param({"text": NOTE, "code": FIRST, "joints": [SECRET]}, "joints: Value error, no joint like", id="joint"),
    pytest.param(
        {"text": NOTE, "code": FIRST, "joints": ["L4-5"]}, "joints: Value error, no joint like", id="short-joint"
    ),
    pytest.param(
        {"text": NOTE, "code": FIRST, "joints": ["L4-L5"] * 31}, "joints: List should have at most", id="joints"
    ),
    pytest.param({"text": NOTE, "code": FIRST, "joints": SECRET}, "joints: Input should be a valid list", id="no-list"),
]
Talk = Callable[[Client], Awaitable[Any]]


@pytest.fixture(scope="module")
def tools(coder: Coder) -> Tools:
    return Tools(coder.code, coder.book)


@pytest.fixture(params=["auto", "legacy"])
def talk(request: pytest.FixtureRequest, tools: Tools) -> Callable[[Talk], Any]:
    """Runs something with a client in memory: of the protocol of 2026, and of the one with a handshake."""

    def run(what: Talk) -> Any:
        async def connected() -> Any:
            async with Client(build_server(tools), mode=request.param) as client:
                return await what(client)

        return anyio.run(connected)

    return run


def text_of(result: CallToolResult) -> str:
    [content] = result.content
    assert content.type == "text"
    return content.text


# -- in memory -----------------------------------------------------------------------------------------------------


def test_both_tools_are_listed_with_schemas_and_with_what_they_are_not_for(talk: Callable[[Talk], Any]) -> None:
    listed = talk(lambda client: client.list_tools()).tools
    assert [tool.name for tool in listed] == ["code_note", "explain_line"]
    for tool in listed:
        jsonschema.Draft202012Validator.check_schema(tool.input_schema)
        jsonschema.Draft202012Validator.check_schema(tool.output_schema)
        assert tool.output_schema["type"] == "object"
        assert "Not for: billing without the decision of a certified coder" in tool.description
        assert tool.input_schema["properties"]["text"]["maxLength"] == mcp_tools.MAX_CHARS
        assert tool.input_schema["properties"]["profile"]["anyOf"][0]["enum"] == [
            "cpt",
            "medicare",
            "medicare-asc",
            "medicare-hopd",
        ]
        assert (tool.annotations.read_only_hint, tool.annotations.open_world_hint) == (True, False)
    assert "put the queries to the physician" in listed[0].description


def test_instructions_say_who_decides(talk: Callable[[Talk], Any]) -> None:
    async def instructions(client: Client) -> str:
        return client.instructions or ""

    assert "a certified coder decides" in talk(instructions)


def test_code_note_gives_the_result_of_the_library(talk: Callable[[Talk], Any], coder: Coder) -> None:
    arguments = {"text": NOTE, "id": "n1", "profile": "medicare", "date_of_service": "2026-01-31"}
    answer = talk(lambda client: client.call_tool("code_note", arguments))
    expected = coder.code(NOTE, id="n1", profile="medicare", date_of_service="2026-01-31")
    assert not answer.is_error
    assert CodingResult.model_validate(answer.structured_content) == expected
    assert [line.code for line in expected.lines] == [FIRST]
    assert text_of(answer).startswith("n1: CODED")
    for line in answer.structured_content["lines"]:
        assert all(NOTE[e["start"] : e["end"]] == e["text"] for e in line["evidence"])


def test_results_fit_the_published_schemas(talk: Callable[[Talk], Any]) -> None:
    async def both(client: Client) -> list[tuple[Any, Any]]:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        calls = [("code_note", {"text": NOTE}), ("explain_line", {"text": NOTE, "code": SECOND})]
        return [(schemas[name], (await client.call_tool(name, given)).structured_content) for name, given in calls]

    for schema, structured in talk(both):
        jsonschema.validate(structured, schema)


def test_explain_line(talk: Callable[[Talk], Any]) -> None:
    arguments = {"text": NOTE, "code": SECOND, "side": "right", "joints": ["L5-S1"]}
    answer = talk(lambda client: client.call_tool("explain_line", arguments))
    assert answer.structured_content["verdict"] == "not_supported"
    assert [(item["value"], item["assertion"]) for item in answer.structured_content["set_aside"]] == [
        ("L5-S1", "negated")
    ]
    assert text_of(answer).startswith(f"{SECOND} right L5-S1: NOT SUPPORTED.")


def test_explain_line_is_of_the_day(talk: Callable[[Talk], Any]) -> None:
    arguments = {"text": NOTE, "code": FIRST, "date_of_service": "2019-01-01"}
    answer = talk(lambda client: client.call_tool("explain_line", arguments)).structured_content
    assert (answer["verdict"], answer["status"], answer["versions"]["codes"]) == ("given", "review", "2020")
    assert [query["id"] for query in answer["queries"]] == ["no_code_book"]


def test_explain_line_of_a_given_line(talk: Callable[[Talk], Any]) -> None:
    answer = talk(lambda client: client.call_tool("explain_line", {"text": NOTE, "code": FIRST}))
    [line] = answer.structured_content["lines"]
    assert (answer.structured_content["verdict"], line["rule"], line["side"]) == (
        "given",
        "facet-lumbar-first",
        "right",
    )
    assert all(NOTE[e["start"] : e["end"]] == e["text"] for e in line["evidence"])


@pytest.mark.parametrize(("arguments", "told"), HOSTILE)
def test_wrong_arguments_are_a_tool_error_without_their_content(
    talk: Callable[[Talk], Any], arguments: dict[str, Any], told: str
) -> None:
    answer = talk(lambda client: client.call_tool("code_note", arguments))
    assert answer.is_error
    assert told in text_of(answer)
    assert SECRET not in answer.model_dump_json()


@pytest.mark.parametrize(("arguments", "told"), EXPLAIN_HOSTILE)
def test_wrong_arguments_of_the_explanation(talk: Callable[[Talk], Any], arguments: dict[str, Any], told: str) -> None:
    answer = talk(lambda client: client.call_tool("explain_line", arguments))
    assert answer.is_error
    assert told in text_of(answer)
    assert SECRET not in answer.model_dump_json()


@pytest.mark.parametrize("text", ["", "\x00", "\u202e" * 1000, "{}[]<script>", "L4-5 " * 39_000, '"}]}\n{"jsonrpc'])
def test_hostile_notes_are_coded_as_text(talk: Callable[[Talk], Any], text: str) -> None:
    assert not talk(lambda client: client.call_tool("code_note", {"text": text})).is_error


def test_an_unknown_tool_is_an_error_of_the_protocol(talk: Callable[[Talk], Any]) -> None:
    async def unknown(client: Client) -> str:
        with pytest.raises(MCPError) as caught:
            await client.call_tool(SECRET, {"text": NOTE})
        return str(caught.value)

    said = talk(unknown)
    assert "there is no tool of that name" in said
    assert SECRET not in said


def test_half_a_character_is_refused(tools: Tools) -> None:
    with pytest.raises(ToolFault, match="text: Value error, holds half a character"):
        tools.call("code_note", {"text": "L4-5 \ud800"})


def test_a_fault_of_our_own_is_told_by_its_type(coder: Coder) -> None:
    tools = Tools(stub_code, coder.book)
    for name, more in (("code_note", {}), ("explain_line", {"code": FIRST})):
        with pytest.raises(ToolFault) as caught:
            tools.call(name, {"text": f"crash {SECRET}", **more})
        assert str(caught.value) == "the note could not be coded (ValueError)"
        assert caught.value.__cause__ is None


def test_nothing_is_kept_between_calls(talk: Callable[[Talk], Any]) -> None:
    async def twice(client: Client) -> list[Any]:
        return [await client.call_tool("code_note", {"text": text}) for text in (NOTE, "Nothing was done.", NOTE)]

    first, between, again = talk(twice)
    assert (between.structured_content["status"], between.structured_content["entities"]) == ("no_code", [])
    assert again.model_dump_json() == first.model_dump_json()


def test_calls_at_once_do_not_mix(talk: Callable[[Talk], Any], coder: Coder) -> None:
    texts = [NOTE.replace("L4-5", f"L{n}-{n + 1}").replace("L4\u20135", f"L{n}-{n + 1}") for n in (1, 2, 3, 4)] * 5

    async def crowd(client: Client) -> list[Any]:
        answers: list[Any] = [None] * len(texts)

        async def one(place: int) -> None:
            answers[place] = await client.call_tool("code_note", {"text": texts[place]})

        async with anyio.create_task_group() as group:
            for place in range(len(texts)):
                group.start_soon(one, place)
        return answers

    for text, answer in zip(texts, talk(crowd), strict=True):
        assert answer.structured_content == coder.code(text).model_dump(mode="json")


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """All that is logged at any level."""
    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    ear, root = Ear(), logging.getLogger()
    level = root.level
    root.addHandler(ear)
    root.setLevel(1)
    yield lines
    root.removeHandler(ear)
    root.setLevel(level)


def test_no_call_is_logged_with_its_arguments(talk: Callable[[Talk], Any], heard: list[str]) -> None:
    async def calls(client: Client) -> None:
        for arguments in ({"text": NOTE}, {"text": 5, SECRET: SECRET}, {"text": NOTE, "profile": SECRET}):
            await client.call_tool("code_note", arguments)

    talk(calls)
    logging.getLogger("mcp").debug("the ear hears")
    assert "the ear hears" in heard
    assert [line for line in heard if SECRET in line] == []


# -- over standard input and output --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One session of a client with the command as a process, and what the process wrote to standard error."""
    log = tmp_path_factory.mktemp("mcp") / "stderr"
    said: dict[str, Any] = {}

    async def session() -> None:
        with log.open("w") as errors:
            async with Client(stdio_client(COMMAND, errlog=errors)) as client:
                said["server"] = client.server_info
                said["tools"] = (await client.list_tools()).tools
                said["note"] = await client.call_tool("code_note", {"text": NOTE, "id": "n1"})
                said["line"] = await client.call_tool("explain_line", {"text": NOTE, "code": FIRST})
                said["wrong"] = await client.call_tool("code_note", {"text": NOTE, "profile": SECRET})
                said["after"] = await client.call_tool("code_note", {"text": "\x00\u202e\r\n" + NOTE})

    anyio.run(session)
    said["stderr"] = log.read_text()
    return said


def test_stdio_session(told: dict[str, Any], coder: Coder) -> None:
    assert told["server"].name == "facetcode"
    assert [tool.name for tool in told["tools"]] == ["code_note", "explain_line"]
    assert CodingResult.model_validate(told["note"].structured_content) == coder.code(NOTE, id="n1")
    assert told["line"].structured_content["verdict"] == "given"


def test_stdio_errors_and_what_follows_them(told: dict[str, Any]) -> None:
    assert (told["wrong"].is_error, SECRET in text_of(told["wrong"])) == (True, False)
    assert told["after"].structured_content["status"] == "coded"


def test_stdio_is_silent_on_standard_error(told: dict[str, Any]) -> None:
    assert told["stderr"] == ""


def frames(*lines: bytes, answers: int, arguments: tuple[str, ...] = ()) -> tuple[list[Any], bytes, int]:
    """What the command answers to raw lines, what it says on standard error, and its exit code. The input stays open
    until so many answers are there: its end is the end of the session, and calls that are under way are dropped."""
    process = subprocess.Popen(
        [sys.executable, "-m", "extractor", "mcp", *arguments],
        env=os.environ | ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    with process:
        process.stdin.write(b"".join(line + b"\n" for line in lines))
        process.stdin.flush()
        told = [process.stdout.readline() for _ in range(answers)]
        rest, errors = process.communicate(timeout=60)
    return [json.loads(line) for line in (*told, *rest.splitlines())], errors, process.returncode


HELLO = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-06-18",
            "capabilities": {},
            "clientInfo": {"name": "test", "version": "0"},
        },
    }
).encode()


PING = b'{"jsonrpc": "2.0", "id": 9, "method": "ping"}'
HALF = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 5,
        "method": "tools/call",
        "params": {"name": "code_note", "arguments": {"text": "\ud800 " + SECRET}},
    }
).encode()


def test_frames_that_cannot_be_read_are_passed_over_in_silence() -> None:
    """No answer is possible without an id that can be read; nothing of them reaches standard error, and the next call
    is answered. The end of the input ends the process."""
    broken = [
        b"",
        b"not JSON: " + SECRET.encode(),
        HALF,
        b"\xff\xfe" + SECRET.encode(),
        b"[" * 100_000,
        b'{"jsonrpc": "2.0", "method": "' + SECRET.encode() + b'", "params": {"text": "' + SECRET.encode() + b'"}}',
    ]
    answers, errors, code = frames(*broken, HELLO, *broken, PING, answers=2)
    assert [answer["id"] for answer in answers] == [1, 9]
    assert (errors, code) == (b"", 0)


def test_an_unknown_method_is_told_without_content() -> None:
    method = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "notes/list", "params": {"text": SECRET}}).encode()
    answers, errors, code = frames(HELLO, method, answers=2)
    assert answers[1]["error"]["code"] == -32601
    assert SECRET not in json.dumps(answers)
    assert (errors, code) == (b"", 0)


def test_max_chars_of_the_command() -> None:
    call = {
        "jsonrpc": "2.0",
        "id": 2,
        "method": "tools/call",
        "params": {"name": "code_note", "arguments": {"text": "x" * 21}},
    }
    ready = b'{"jsonrpc": "2.0", "method": "notifications/initialized"}'
    listing = b'{"jsonrpc": "2.0", "id": 3, "method": "tools/list"}'
    answers, errors, code = frames(
        HELLO, ready, json.dumps(call).encode(), listing, answers=3, arguments=("--max-chars", "20")
    )
    by_id = {answer["id"]: answer.get("result") for answer in answers}
    assert by_id[2]["isError"] is True
    assert by_id[2]["content"] == [{"type": "text", "text": "text: longer than 20 characters"}]
    assert by_id[3]["tools"][0]["inputSchema"]["properties"]["text"]["maxLength"] == 20
    assert (errors, code) == (b"", 0)


@pytest.mark.parametrize("arguments", [("--profile", "gold"), ("--patterns", "gone"), ("--max-chars", "0")])
def test_a_wrong_call_is_one_line_and_no_protocol(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "extractor", "mcp", *arguments]
    done = subprocess.run(command, input=HELLO, env=os.environ | ENVIRONMENT, capture_output=True, check=False)
    assert (done.stdout, done.stderr.count(b"\n"), done.returncode) == (b"", 1, 2)
    assert done.stderr.startswith(b"facetcode: ")


def test_help_names_the_default_and_needs_no_sdk() -> None:
    probe = (
        "import sys\nfrom extractor.cli import main\n"
        "try: main(['mcp', '--help'])\nexcept SystemExit as stopped: assert not stopped.code\n"
        "assert not {'mcp', 'mcp_types', 'anyio', 'pydantic', 'spacy'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert f"default: {mcp_tools.MAX_CHARS};" in " ".join(done.stdout.split())


def test_without_the_extra_one_line_says_what_is_missing() -> None:
    probe = "import sys; sys.modules['mcp_types'] = None; from extractor.cli import main; main(['mcp'])"
    done = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'facetcode[mcp]'" in done.stderr


# -- the guide -----------------------------------------------------------------------------------------------------

GUIDE = (ROOT / "docs" / "agents.md").read_text(encoding="utf-8")


def test_example_of_the_guide_runs() -> None:
    [example] = re.findall(r"^```python\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_guide_knows_every_verdict_option_and_tool() -> None:
    for verdict in get_args(Verdict):
        assert f"| `{verdict}` |" in GUIDE
    for option in cli.cli.commands["mcp"].params:
        assert f"    {option.opts[0]} " in GUIDE
    for tool in ("code_note", "explain_line"):
        assert f"`{tool}(" in GUIDE
