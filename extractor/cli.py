"""The command line: parses, calls, prints. Nothing heavy is imported before a command needs it.

Exit codes: 0 done; 1 some notes failed (they are listed, the rest is written) or a figure is below its floor; 2 the
call or a file is wrong.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from extractor import __version__
from extractor.errors import FacetcodeError, InputError

if TYPE_CHECKING:
    from extractor.batch.runner import CodeNote
    from extractor.schema import CodingResult

NOTES_FAILED = 1
CALL_WRONG = 2
INTERRUPTED = 130


_PROFILES = "cpt, medicare, medicare-asc, medicare-hopd, or one of your own patterns"


def _common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that codes notes of its own."""
    day = click.option("--date-of-service", "day", metavar="YYYY-MM-DD", help="Day of the encounter.")
    return _coder_options(day(command))


def _coder_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that has a coder."""
    for option in (
        click.option("--patterns", metavar="DIR", type=click.Path(path_type=Path), help="Your own patterns over ours."),
        click.option("--profile", default="cpt", show_default=True, help=f"How claim lines are written: {_PROFILES}."),
    ):
        command = option(command)
    return command


def _descriptor_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """The option of every command whose results may hold licensed descriptors."""
    option = click.option(
        "--descriptors",
        metavar="FILE",
        type=click.Path(path_type=Path),
        help="Your licensed descriptors: CSV code,descriptor.",
    )
    return option(command)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="facetcode")
def cli() -> None:
    """Read dictated spine-procedure notes and give CPT 64493-family codes with their evidence."""


@cli.command("code")
@click.argument("notes", metavar="NOTE...", nargs=-1, required=True)
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "html", "fhir"]), default="text", show_default=True
)
@_descriptor_option
@_common_options
def code_command(
    notes: Sequence[str], form: str, profile: str, patterns: Path | None, descriptors: Path | None, day: str | None
) -> int:
    """Code one note: a plain-text file, or - for standard input. Several files are coded one after another."""
    from extractor.batch.runner import run
    from extractor.batch.sources import single_note

    if form == "html" and len(notes) > 1:
        raise InputError("a page holds one note: give one NOTE with --format html")
    _check_day(day)
    if form == "fhir":
        from extractor.fhir import command

        coder = _coder(profile, patterns, descriptors)
        return NOTES_FAILED if command.run(notes, coder, _print, _complain, day) else 0
    sources = [single_note(name) for name in notes]
    failed = run(
        (item for source in sources for item in source),
        _coder(profile, patterns, descriptors),
        lambda note, result: _print(_rendered(form, result, note.text)),
        _complain,
        day,
    )
    return NOTES_FAILED if failed else 0


@cli.command("run")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("-o", "--output", "out", metavar="OUT", required=True, help="JSONL, Parquet, CSV or SQLite file, or -.")
@click.option("--workers", metavar="N", type=click.IntRange(1), help="Processes that code notes (default: all cores).")
@click.option("--id-column", default="id", show_default=True, help="Name of the id, in tables and JSONL.")
@click.option("--text-column", default="text", show_default=True, help="Name of the text, in tables and JSONL.")
@click.option("--note-timeout", metavar="SECONDS", type=click.FloatRange(0.1), help="A note that takes longer fails.")
@click.option("--max-chars", metavar="N", type=click.IntRange(1), help="A longer note fails.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", show_default=True)
@click.option("--master", metavar="URL", help="Spark master, as local[2]; for --engine spark.")
@click.option("--summary", metavar="FILE", type=click.Path(path_type=Path), help="The figures of the run as JSON.")
@_descriptor_option
@_common_options
def run_command(
    inputs: Sequence[str],
    out: str,
    profile: str,
    patterns: Path | None,
    descriptors: Path | None,
    day: str | None,
    engine: str,
    master: str | None,
    **options: Any,
) -> int:
    """Code many notes. INPUT: files and folders of notes, or - for JSONL on standard input. Stopped, the same command
    goes on where it was."""
    from extractor.batch import command

    _check_day(day)
    options |= {"inputs": inputs, "out": out, "profile": profile, "patterns": patterns, "day": day}
    options["descriptors"] = descriptors
    if engine == "spark":
        from extractor.batch import cluster

        if options.pop("workers") or options.pop("note_timeout"):
            raise InputError("--workers and --note-timeout do not go with --engine spark")
        failed = cluster.run(cluster.ClusterRun(**options, master=master), _print)
    elif master is not None:
        raise InputError("--master goes with --engine spark")
    else:
        load = partial(_coder, profile, patterns, descriptors)
        failed = command.run(command.Run(**options), load, _print, _complain)
    return NOTES_FAILED if failed else 0


_FORMATS = "brat, cas-xmi, cas-json, label-studio, prodigy, doccano, native"


@cli.command("evaluate")
@click.argument("corpus", metavar="CORPUS", type=click.Path(path_type=Path))
@click.option(
    "--predictions", metavar="FILE", type=click.Path(path_type=Path), help="Score these results, not our own run."
)
@click.option("--against", metavar="FILE", type=click.Path(path_type=Path), help="A second system to compare with.")
@click.option(
    "--agreement", "second", metavar="OTHER", type=click.Path(path_type=Path), help="Compare two annotators instead."
)
@click.option("--from", "form", metavar="FORMAT", help=f"Format of CORPUS, if its files do not tell: {_FORMATS}.")
@click.option("--labels", metavar="TOML", type=click.Path(path_type=Path), help="Maps the labels of a foreign corpus.")
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--html", metavar="FILE", type=click.Path(path_type=Path), help="A page with plots and the wrong notes.")
@click.option("--noise", metavar="SEED", help="Put errors of speech recognition into the notes first.")
@click.option(
    "--fail-under",
    "floors",
    metavar="KEY=VALUE",
    multiple=True,
    help="Exit 1 below VALUE: right, codes_right, released, released_precision, line_f1, strict_f1, or a label.",
)
@_common_options
def evaluate_command(corpus: Path, profile: str, patterns: Path | None, **options: Any) -> int:
    """Score against an annotated CORPUS: brat folder, UIMA CAS, Label Studio, Prodigy, doccano or our own JSONL."""
    from extractor.evaluation import command

    _check_day(options["day"])
    call = command.Evaluation(corpus, **options)
    command.check(call)
    code = None if call.predictions or call.second else _coder(profile, patterns)
    return command.evaluate(call, code, _print, _complain)


@cli.command("annotate")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option(
    "-o", "--output", "out", metavar="OUT", required=True, type=click.Path(path_type=Path), help="New file or folder."
)
@click.option("--to", "form", metavar="FORMAT", default="brat", show_default=True, help=f"One of {_FORMATS}.")
@_common_options
def annotate_command(
    inputs: Sequence[str], out: Path, form: str, profile: str, patterns: Path | None, day: str | None
) -> int:
    """Write what was read in notes (INPUT as in run) as annotations for people to correct."""
    from extractor.evaluation.annotate import annotate

    _check_day(day)
    return annotate(inputs, out, form, _coder(profile, patterns), day, _print, _complain)


@cli.command("mcp")
@click.option("--max-chars", metavar="N", type=click.IntRange(1), default=200_000, show_default=True, help="Of a note.")
@_coder_options
def mcp_command(profile: str, patterns: Path | None, max_chars: int) -> int:
    """Serve coding agents by the Model Context Protocol on standard input and output (see docs/agents.md)."""
    try:
        from extractor import mcp_server
    except ModuleNotFoundError as error:
        raise InputError(f"this needs {error.name}: pip install 'facetcode[mcp]'") from None
    mcp_server.serve(profile, patterns, max_chars)
    return 0


@cli.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address; one that is not loopback needs a token.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free.")
@click.option("--workers", metavar="N", type=click.IntRange(1), help="Processes that code notes (default: all cores).")
@click.option("--token-file", metavar="F", type=click.Path(path_type=Path), help="Holds the token that callers show.")
@click.option("--store", metavar="F.sqlite", type=click.Path(path_type=Path), help="Keep decisions, with their notes.")
@click.option("--max-chars", metavar="N", type=click.IntRange(1), default=200_000, show_default=True, help="Of a note.")
@click.option("--batch-limit", metavar="N", type=click.IntRange(1), default=100, show_default=True, help="Notes.")
@click.option(
    "--timeout", metavar="SECONDS", type=click.FloatRange(0.1), default=10.0, show_default=True, help="A note."
)
@_descriptor_option
@_coder_options
def serve_command(**options: Any) -> int:
    """Serve the HTTP API and the review page."""
    from extractor.service import command

    command.serve(command.Serve(**options), _complain)
    return 0


@cli.group("feedback")
def feedback_group() -> None:
    """What reviewers decided on the review page."""


@feedback_group.command("export")
@click.argument("store", metavar="STORE", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", "out", metavar="OUT.jsonl", required=True, type=click.Path(path_type=Path), help="New file."
)
def feedback_export_command(store: Path, out: Path) -> int:
    """Write the decisions in STORE (of serve --store) as gold for evaluate."""
    from extractor.service import feedback

    count = feedback.export(store, out, _complain)
    if str(out) != "-":
        _print(f"{count} notes")
    return 0


@cli.group("patterns")
def patterns_group() -> None:
    """For the people who keep the patterns."""


@patterns_group.command("check")
@click.option("--patterns", metavar="DIR", type=click.Path(path_type=Path), help="Check your own patterns over ours.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--idle", is_flag=True, help="List the rows that no note of the corpus meets.")
def patterns_check_command(patterns: Path | None, form: str, idle: bool) -> int:
    """Tell all that is wrong with the patterns, each fault with its file, its row and the mend. Exit 1: faults."""
    from extractor.patterntools import command

    return command.run(patterns, form, idle, _print)


@patterns_group.command("try")
@click.argument("words", metavar="TEXT", required=False)
@click.option("--file", metavar="FILE", help="The note in a file, in place of TEXT.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@_common_options
def patterns_try_command(
    words: str | None, file: str | None, form: str, profile: str, patterns: Path | None, day: str | None
) -> int:
    """Show what is read in TEXT (- for standard input), by which rows, and what is left out and why."""
    from extractor.loading import load

    _check_day(day)
    coder = load(profile, patterns)
    from extractor.patterntools import trial

    return 0 if trial.run(words, file, form, coder, day, _print, _complain) else NOTES_FAILED


@patterns_group.command("diff")
@click.argument("other", metavar="OTHER", type=click.Path(path_type=Path))
@click.option("--notes", "inputs", metavar="INPUT", multiple=True, help="As in run; may be given more than once.")
@click.option("--results", metavar="RESULT.jsonl", type=click.Path(path_type=Path), help="What the notes came out as.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--workers", metavar="N", type=click.IntRange(1), help="Processes that code notes (default: all cores).")
@click.option("--exit-code", is_flag=True, help="Exit 1 where a note changes, too.")
@_common_options
def patterns_diff_command(exit_code: bool, **options: Any) -> int:
    """Show the notes whose lines, claim, questions, summary or status change with the patterns in OTHER, a folder as
    for --patterns. The notes are those of the project's corpus, or of --notes."""
    from extractor.patterntools import diff

    _check_day(options["day"])
    figures = diff.run(diff.Diff(**options), _print, _complain)
    return NOTES_FAILED if figures.failed or (exit_code and figures.changed) else 0


def _coder(profile: str, patterns: Path | None, descriptors: Path | None = None) -> CodeNote:
    from extractor.loading import load_coder

    return load_coder(profile, patterns, descriptors)


def _check_day(day: str | None) -> None:
    from extractor.batch.sources import is_date

    if day is not None and not is_date(day):
        raise InputError("--date-of-service is not a date like 2026-01-31")


def _rendered(form: str, result: CodingResult, text: str) -> str:
    if form == "json":
        return result.to_json()
    from extractor.report import html_page, text_summary

    return html_page(result, text).rstrip("\n") if form == "html" else text_summary(result)


def _print(text: str) -> None:
    """To standard output as UTF-8, whatever the terminal says: JSON and the page are UTF-8 by definition."""
    if sys.stdout is None:
        return  # closed (>&-)
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8", errors="replace") + b"\n")
    sys.stdout.buffer.flush()


def _complain(line: str) -> None:
    click.echo(f"facetcode: {line}", err=True)


def _stop(line: str, exit_code: int) -> NoReturn:
    _complain(line)
    sys.exit(exit_code)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The entry point: every trouble ends as one clear line and an exit code, never as a traceback."""
    gc.set_threshold(100_000, 50, 50)  # spaCy and the rows are many small objects that stay; default: a fifth slower
    given = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        outcome = cli.main(given, prog_name="facetcode", standalone_mode=False)
    except click.ClickException as error:
        _stop(error.format_message(), CALL_WRONG)
    except FacetcodeError as error:
        _stop(str(error), CALL_WRONG)
    except BrokenPipeError:  # the reader of our output has gone (| head)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains when it flushes at exit
        sys.exit(NOTES_FAILED)
    except OSError as error:
        from extractor.batch.sources import printable

        named = f"{printable(str(error.filename))}: " if error.filename else ""
        _stop(f"{named}{error.strerror or type(error).__name__}", CALL_WRONG)
    except (KeyboardInterrupt, click.Abort):
        _stop("interrupted", INTERRUPTED)
    except Exception as error:  # its message may quote a note
        _stop(f"stopped by a fault of its own ({type(error).__name__})", CALL_WRONG)
    finally:
        gc.freeze()  # the process ends: without this Python looks through all that the pipeline is made of once more
    sys.exit(outcome if isinstance(outcome, int) else 0)
