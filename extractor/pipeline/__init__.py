"""The medspaCy pipeline: the only room that imports spaCy and medspaCy.

Every component is a registered spaCy factory and can be added by name to a pipeline of your own:

    facetcode_sections    Doc._.facetcode_sections: tuple of Section
    facetcode_sentences   line-aware sentence starts (sets `token.is_sent_start`); a header begins one
    facetcode_targets     medspaCy's target rules and matcher over our rows; span group "facetcode_targets"
    facetcode_levels      Doc._.facetcode_levels: tuple of LevelMention; span group "facetcode_levels"
    facetcode_agents      Doc._.facetcode_agents: tuple of AgentHit; span group "facetcode_agents"
    facetcode_assertion   typed ConText cues; Doc._.facetcode_cues and Doc._.facetcode_assertions
    facetcode_coder       Doc._.facetcode: the CodingResult of the note (for your own pipeline; ours ends before it)

What each needs before it, and what it is to be wary of in a medspaCy pipeline, is told in docs/spacy.md.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import ClassVar

with warnings.catch_warnings():  # medspaCy mutes every warning of the process when it is imported
    import medspacy  # noqa: F401  (registers medspaCy's own factories)

from spacy.lang.en import English
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import registry

from extractor.pipeline import agents, assertion, levels, result, sections, sentences, targets  # noqa: F401  (registers)
from extractor.pipeline.tokenizer import build_tokenizer

COMPONENTS = (
    "facetcode_sections",
    "facetcode_sentences",
    "facetcode_targets",
    "facetcode_levels",
    "facetcode_agents",
    "facetcode_assertion",
)


# what is read of a word; the rest would be set for each new word, too, which is slow
_READ = frozenset({"LOWER", "IS_PUNCT", "IS_SPACE"})


@registry.tokenizers("facetcode_no_tokenizer")  # type: ignore[untyped-decorator]
def no_tokenizer() -> Callable[[Language], Tokenizer]:
    """spaCy's tokenizer without its word list: it only stands in until medspaCy's own is made from it."""
    return lambda nlp: Tokenizer(nlp.vocab, token_match=nlp.Defaults.token_match, url_match=nlp.Defaults.url_match)


class _Plain(English):  # type: ignore[no-untyped-call]
    """English without spaCy's list of contractions and emoticons: 1300 entries that no row needs, slow to load."""

    class Defaults(English.Defaults):  # type: ignore[misc, valid-type]
        tokenizer_exceptions: ClassVar[dict[str, object]] = {}


def build(overlay: str | None = None) -> Language:
    """A blank English pipeline with medspaCy's tokenizer and all components of ours.

    `overlay` is the user's patterns folder. Raises PatternError when a pattern row is wrong. No component logs
    anything.
    """
    nlp = _Plain.from_config({"nlp": {"tokenizer": {"@tokenizers": "facetcode_no_tokenizer"}}})
    getters = nlp.vocab.lex_attr_getters  # type: ignore[attr-defined]
    read = {nlp.vocab.strings[name] for name in _READ}
    for attribute in [number for number in getters if number not in read]:
        getters.pop(attribute)
    nlp.tokenizer = build_tokenizer(nlp)
    nlp.max_length = 20_000_000
    for name in COMPONENTS:
        nlp.add_pipe(name, config={"overlay": overlay})
    return nlp
