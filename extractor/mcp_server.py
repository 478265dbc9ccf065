"""`facetcode mcp`: the tools of `extractor.mcp_tools` over the Model Context Protocol, on standard input and output.

Stateless: each call brings its note, and nothing of it stays. Standard output holds the protocol only (the SDK points
the descriptor elsewhere while it serves), and nothing is logged.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server import Server, ServerRequestContext
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError

from extractor import __version__
from extractor.coding import CodeBook
from extractor.loading import load_coder
from extractor.mcp_tools import INSTRUCTIONS, MAX_CHARS, ToolFault, Tools
from extractor.patterns import PatternFolder

_READ_ONLY = types.ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


def serve(profile: str = "cpt", patterns: Path | None = None, max_chars: int = MAX_CHARS) -> None:
    """Serves one client until its standard input ends.

    Raises InputError for an unknown profile and PatternError for a wrong pattern row, before anything is served.
    """
    logging.disable(logging.CRITICAL)  # the SDK tells of frames that it cannot read with all that stands in them
    code = load_coder(profile, patterns)
    code("")  # loads the pipeline now, so that no client waits for it in a call
    anyio.run(_serve, build_server(Tools(code, CodeBook.load(PatternFolder(patterns)), max_chars)))


async def _serve(server: Server[Any]) -> None:
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def build_server(tools: Tools) -> Server[Any]:
    """The server over some tools, to be run on any transport.

    The low-level server of the SDK, since its other one quotes arguments in the errors of its own checks.
    """
    one_at_a_time = anyio.CapacityLimiter(1)  # a pipeline is not made for two threads at once
    listed = [
        types.Tool(
            name=tool.name,
            title=tool.title,
            description=tool.description,
            input_schema=tool.input_schema,
            output_schema=tool.output_schema,
            annotations=_READ_ONLY,
        )
        for tool in tools.definitions()
    ]

    async def list_tools(
        context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=listed)

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        if params.name not in tools:
            raise MCPError(types.INVALID_PARAMS, "there is no tool of that name")
        try:
            answer = await anyio.to_thread.run_sync(
                tools.call, params.name, params.arguments or {}, limiter=one_at_a_time
            )
        except ToolFault as fault:
            return types.CallToolResult(content=[types.TextContent(type="text", text=str(fault))], is_error=True)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=answer.text)], structured_content=answer.structured
        )

    server: Server[Any] = Server(
        "facetcode",
        version=__version__,
        title="facetcode",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    server.middleware.clear()  # it would hand traces to whatever collects them
    return server
