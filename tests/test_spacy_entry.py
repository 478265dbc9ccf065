"""Our components in pipelines of other people: found by name after an installation, without disturbing anything."""

from __future__ import annotations

import copy
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span

from extractor.errors import InputError, PatternError
from extractor.pipeline import COMPONENTS

if TYPE_CHECKING:
    from spacy.language import Language

    from extractor import Coder

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "spacy.md").read_text(encoding="utf-8")
NAMES = (*COMPONENTS, "facetcode_coder")
NOTE = (
    "PROCEDURE:\tBilateral L4\u20135 facet joint injections under fluoroscopy.\r\n"
    "\U0001f600 The L4-5 facet joints were entered on both sides and 1 mL of bupivacaine was injected into each.\r\n"
    "The L5-S1 joints were not injected."
)
TEXTS = [NOTE, "", "\x00 \u202e{}<b>", NOTE.replace("L4-5", "L3-4").replace("L4\u20135", "L3-4"), NOTE]


@pytest.fixture(scope="module")
def own() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("facetcode_coder")
    return nlp


# -- after an installation -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of this checkout, as pip installs it."""
    pytest.importorskip("hatchling", reason="set up with requirements.lock")
    out = tmp_path_factory.mktemp("wheel")
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(out)], check=True, cwd=ROOT, capture_output=True)
    site = out / "site"
    install = ["-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile", "--target", str(site)]
    subprocess.run([sys.executable, *install, *map(str, out.glob("*.whl"))], check=True, capture_output=True)
    return site


def run(installed: Path, program: str, *arguments: str) -> str:
    """What a program prints that sees the installed wheel and nothing of this checkout."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, env=environment, cwd=installed, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


BY_NAME = """
import json, sys
import spacy
assert not [name for name in sys.modules if name.partition(".")[0] == "extractor"]
if sys.argv[1] == "medspacy":
    import medspacy
    from loguru import logger
    logger.disable("PyRuSH")
names = json.loads(sys.argv[2])
shared = medspacy.load() if sys.argv[1] == "medspacy" else None  # there all in one pipeline, else each one alone
set_by = {}
for name in names:
    nlp = shared or spacy.blank("en")
    before = nlp(sys.argv[3])
    nlp.add_pipe(name)
    doc = nlp(sys.argv[3])
    new = [key if isinstance(key, str) else key[1] for key in doc.user_data.keys() - before.user_data.keys()]
    set_by[name] = sorted({*new, *(doc.spans.keys() - before.spans.keys())})
import extractor
print(json.dumps([extractor.__file__, set_by]))
"""


@pytest.mark.parametrize("kind", ["blank", "medspacy"])
def test_every_component_is_found_by_its_name_without_an_import(installed: Path, kind: str) -> None:
    home, set_by = json.loads(run(installed, BY_NAME, kind, json.dumps(NAMES), NOTE.replace("\r\n", "\n")))
    assert Path(home).is_relative_to(installed)
    assert {name: sorted(set(keys) - {"facetcode_text"}) for name, keys in set_by.items()} == {
        "facetcode_sections": ["facetcode_sections"],
        "facetcode_sentences": ["facetcode_sentences"],
        "facetcode_targets": ["facetcode_targets"],
        "facetcode_levels": ["facetcode_levels"],
        "facetcode_agents": ["facetcode_agents"],
        "facetcode_assertion": ["facetcode_assertions", "facetcode_cues"],
        "facetcode_coder": ["facetcode_result"],
    }


@pytest.mark.parametrize("example", re.findall(r"^```python\n(.*?)^```$", GUIDE, flags=re.MULTILINE | re.DOTALL))
def test_examples_of_the_guide_run_on_the_installed_wheel(installed: Path, example: str) -> None:
    assert run(installed, example) == ""


def test_the_guide_names_every_component() -> None:
    named = set(re.findall(r"^\| `(facetcode_\w+)`", GUIDE, flags=re.MULTILINE))
    assert named == set(NAMES)


# -- what the coder component gives --------------------------------------------------------------------------------


def test_the_result_is_that_of_the_library_with_offsets_of_the_doc(own: Language, coder: Coder) -> None:
    doc = own(NOTE)
    assert doc.text == NOTE
    assert doc._.facetcode == coder.code(NOTE)
    quotes = [evidence for line in doc._.facetcode.lines for evidence in line.evidence]
    assert len(quotes) > 5
    assert all(doc.text[evidence.start : evidence.end] == evidence.text for evidence in quotes)


def test_a_doc_that_no_coder_has_seen_has_none(own: Language) -> None:
    assert own.make_doc(NOTE)._.facetcode is None


def test_streams_give_what_single_calls_give(own: Language) -> None:
    single = [own(text)._.facetcode for text in TEXTS]
    assert [doc._.facetcode for doc in own.pipe(TEXTS, batch_size=2)] == single
    assert [doc._.facetcode for doc in own.pipe(TEXTS, n_process=2, batch_size=2)] == single


def test_profiles_live_side_by_side_in_one_process(coder: Coder) -> None:
    pipelines = {}
    for profile in ("cpt", "medicare-asc"):
        pipelines[profile] = spacy.blank("en")
        pipelines[profile].add_pipe("facetcode_coder", config={"profile": profile})
    docs = {profile: nlp(NOTE) for profile, nlp in pipelines.items()}
    for profile, doc in docs.items():
        assert doc._.facetcode == coder.code(NOTE, profile=profile)
    assert docs["cpt"]._.facetcode.claim != docs["medicare-asc"]._.facetcode.claim


def test_two_coders_can_stand_in_one_pipeline_and_the_last_one_counts(coder: Coder) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("facetcode_coder", name="first")
    nlp.add_pipe("facetcode_coder", name="second", config={"profile": "medicare"})
    assert nlp(NOTE)._.facetcode.versions.profile == "medicare"


def test_the_overlay_is_read(tmp_path: Path) -> None:
    header = (ROOT / "patterns" / "agents.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    row = {"phrase": "zzcaine", "name": "zzcaine", "drug_class": "local_anesthetic", "example": "1 mL of zzcaine"}
    values = ",".join(row.get(name, "") for name in header)
    (tmp_path / "agents.csv").write_text(",".join(header) + "\n" + values + "\n", encoding="utf-8")
    nlp = spacy.blank("en")
    nlp.add_pipe("facetcode_coder", config={"overlay": str(tmp_path)})
    assert nlp(NOTE.replace("bupivacaine", "zzcaine"))._.facetcode.summary.injectate == ["zzcaine"]


def test_wrong_config_fails_when_the_component_is_added() -> None:
    with pytest.raises(InputError, match="no such profile"):
        spacy.blank("en").add_pipe("facetcode_coder", config={"profile": "gold"})
    with pytest.raises(PatternError, match="no such patterns folder"):
        spacy.blank("en").add_pipe("facetcode_coder", config={"overlay": "gone"})


def test_the_extension_of_another_package_is_not_taken(own: Language) -> None:
    kept = Doc.get_extension("facetcode")
    Doc.set_extension("facetcode", default="theirs", force=True)
    try:
        with pytest.raises(InputError, match="extension of another package"):
            spacy.blank("en").add_pipe("facetcode_coder")
        assert own.make_doc("")._.facetcode == "theirs"
    finally:
        Doc.set_extension("facetcode", getter=kept[2], force=True)


# -- what it leaves alone ------------------------------------------------------------------------------------------


def state(doc: Doc) -> dict[str, Any]:
    """All of a Doc that a user may have set."""
    return {
        "doc": doc.to_bytes(exclude=["user_data"]),
        "ents": [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents],
        "spans": {name: [(s.start, s.end, s.label_) for s in group] for name, group in doc.spans.items()},
        "user_data": {key: value for key, value in doc.user_data.items() if key != "facetcode_result"},
    }


def test_the_doc_of_the_user_is_as_it_was() -> None:
    if not Doc.has_extension("mine"):
        Doc.set_extension("mine", default=None)
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "DRUG", "pattern": "bupivacaine"}])
    doc = nlp(NOTE)
    doc._.mine = ["theirs"]
    doc.user_data["other"] = 1
    doc.spans["mine"] = [Span(doc, 0, 2, label="X")]
    assert len(doc.ents) == 1
    before = state(doc)
    nlp.add_pipe("facetcode_coder", last=True)
    after = nlp.get_pipe("facetcode_coder")(doc)
    assert after is doc
    assert state(doc) == before
    assert doc._.facetcode.status == "coded"


def test_the_vocabulary_of_the_user_does_not_grow() -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("facetcode_coder")
    doc = nlp.make_doc(NOTE)
    before = len(nlp.vocab), len(nlp.vocab.strings)
    nlp.get_pipe("facetcode_coder")(doc)
    assert (len(nlp.vocab), len(nlp.vocab.strings)) == before


def test_analysis_of_the_pipeline_knows_what_is_assigned(own: Language) -> None:
    assert own.analyze_pipes()["attrs"]["doc._.facetcode"]["assigns"] == ["facetcode_coder"]


# -- storage -------------------------------------------------------------------------------------------------------


def test_to_disk_and_back(tmp_path: Path, coder: Coder) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe("facetcode_coder", config={"profile": "medicare"})
    nlp.to_disk(tmp_path / "model")
    loaded = spacy.load(tmp_path / "model")
    assert loaded.pipe_names == ["facetcode_coder"]
    assert loaded(NOTE)._.facetcode == coder.code(NOTE, profile="medicare")


@pytest.mark.parametrize("again", [lambda nlp: pickle.loads(pickle.dumps(nlp)), copy.deepcopy], ids=["pickle", "copy"])
def test_copies_of_a_used_pipeline_work(again: Any, own: Language) -> None:
    expected = own(NOTE)._.facetcode
    assert again(own)(NOTE)._.facetcode == expected


@pytest.mark.parametrize("name", COMPONENTS)
def test_pipelines_with_the_single_parts_can_be_pickled(name: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    before = nlp(NOTE)
    after = pickle.loads(pickle.dumps(nlp))(NOTE)
    assert list(after.spans) == list(before.spans)
    assert after.user_data == before.user_data


def test_docs_can_be_stored(own: Language) -> None:
    doc = own(NOTE)
    stored = [
        pickle.loads(pickle.dumps(doc)),
        Doc(own.vocab).from_bytes(doc.to_bytes()),
        *DocBin().from_bytes(DocBin(store_user_data=True, docs=[doc]).to_bytes()).get_docs(own.vocab),
    ]
    assert [other._.facetcode for other in stored] == [doc._.facetcode] * 3


_RECORDS = pytest.mark.xfail(reason="its records are no plain values", strict=True)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("facetcode_sections", marks=_RECORDS),
        "facetcode_sentences",
        "facetcode_targets",
        pytest.param("facetcode_levels", marks=_RECORDS),
        pytest.param("facetcode_agents", marks=_RECORDS),
        "facetcode_assertion",
    ],
)
def test_docs_of_the_single_parts_can_be_stored(name: str) -> None:
    nlp = spacy.blank("en")
    nlp.add_pipe(name)
    assert Doc(nlp.vocab).from_bytes(nlp(NOTE).to_bytes()).text == NOTE
