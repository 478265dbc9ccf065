"""Drug names from the reader of `extractor.agents` as a component. Roles are decided later, by the same reader."""

from spacy.language import Language
from spacy.tokens import Doc

from extractor.agents import AgentReader
from extractor.pipeline.shared import extension, folder, group
from extractor.text import text_of

GROUP = "facetcode_agents"


class Agents:
    """Sets Doc._.facetcode_agents and the span group "facetcode_agents"."""

    def __init__(self, reader: AgentReader) -> None:
        self.reader = reader

    def __call__(self, doc: Doc) -> Doc:
        found = self.reader.hits(text_of(doc))
        doc._.facetcode_agents = found
        group(doc, GROUP, ((hit.start, hit.end, "Agent") for hit in found))
        return doc


@Language.factory("facetcode_agents", default_config={"overlay": None})
def create(nlp: Language, name: str, overlay: str | None) -> Agents:
    """Factory of the agent component."""
    extension("facetcode_agents")
    return Agents(AgentReader(folder(overlay)))
