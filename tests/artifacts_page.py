"""docs/artifacts.md, read back: what it says of every artifact."""

import re
from dataclasses import dataclass

from tests.packages import ROOT

PAGE = ROOT / "docs" / "artifacts.md"
_SENTENCE = re.compile(r"^Written by `(\w+)`; read by (nothing|`[\w`, ]+`)\.", re.MULTILINE)


@dataclass(frozen=True)
class Artifact:
    """One artifact on the page. readers: stages. fields: columns or keys, in the order of the page."""

    writer: str
    readers: set[str]
    fields: list[str]


def read_page() -> dict[str, Artifact]:
    """Every artifact by its path; `<model>` stands for each model."""
    sections = re.split(r"^##+ ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    found: dict[str, Artifact] = {}
    for section in sections:
        title, _, text = section.partition("\n")
        said = _SENTENCE.search(text)
        if title.startswith("`") and said:
            fields = re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE)
            found[title.strip("`")] = Artifact(said[1], set(re.findall(r"`(\w+)`", said[2])), fields)
    return found


def named(columns: list[str]) -> list[str]:
    """Columns as the page names them: one line for the probabilities of all classes."""
    return list(
        dict.fromkeys("p_<class>" if re.match(r"p_(?!class$|suggested$|value$)", one) else one for one in columns)
    )
