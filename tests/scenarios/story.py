"""Stories: what customers do, line by line, and what the answers must be then; to be read by whoever talks to customers.

What happens is written in the notation of `models/notation.py`. Between such lines stand questions; each is asked when all
above it is visible. An identifier is `namespace:value`.

    journey A            the person who has A is shown with the rows that follow, indented: time, channel, event
    known A B …          A's person has these identifiers and no others
    unknown A            nobody has A
    apart A B            A and B are two persons
    elder A B            A and B are one person, under the uid that A had first
    former A B           the uid that A had first leads to B's person
    refused A B          a link between the two was refused
    seen A x y …         A's channels of origin
    because A e1 B e2 C  A and C are one person: event e1 showed A with B, event e2 B with C
"""

from pathlib import Path
from typing import Literal, NamedTuple, get_args

from models import notation
from models.notation import Line

Verb = Literal["journey", "known", "unknown", "apart", "elder", "former", "refused", "seen", "because"]
VERBS: tuple[Verb, ...] = get_args(Verb)


class Question(NamedTuple):
    """A question with what the answer must be; of a journey, the rows."""

    verb: Verb
    words: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()

    def __str__(self) -> str:
        return " ".join((self.verb, *self.words))


Step = Line | Question


class Story(NamedTuple):
    """A title, and what happens and is asked, in order."""

    title: str
    steps: tuple[Step, ...]

    @property
    def identifiers(self) -> set[str]:
        """All that occur in it."""
        return {name for step in self.steps if isinstance(step, Line) for name in step.names}


def stories() -> dict[str, Story]:
    """All stories of this folder by name."""
    paths = sorted(Path(__file__).parent.glob("*.story"))
    return {path.stem: read(path.read_text(encoding="utf-8")) for path in paths}


def read(text: str) -> Story:
    """The story of a text, whose first line is its title; ValueError for a line that is neither."""
    title, _, rest = text.partition("\n")
    steps: list[Step] = []
    for line in rest.splitlines():
        said = tuple(notation.words(line))
        if not said:
            continue
        if line.startswith(" "):
            asked = steps.pop()
            if not isinstance(asked, Question) or asked.verb != "journey":
                raise ValueError(f"a row belongs to a journey: {line}")
            steps.append(asked._replace(rows=(*asked.rows, said)))
        elif said[0] in VERBS:
            steps.append(Question(said[0], said[1:]))
        else:
            steps += notation.read(line)
    return Story(title.lstrip("# "), tuple(steps))
