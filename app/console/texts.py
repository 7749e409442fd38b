"""Every text of the console, in every language, out of one file; and which language somebody is shown.

A text that is missing in one language is an error at start, not a hole in a page. Names that come from the configuration
(channels, stages, namespaces) have a text where the packaged configuration has them, and else stand for themselves.
"""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).with_name("texts.toml")
LANGUAGES = {"en": "English", "zh": "中文"}
"""Code -> how the language calls itself."""
HTML_LANG = {"en": "en", "zh": "zh-CN"}
_QUALITY = re.compile(r"\s*([A-Za-z-]+|\*)\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?))?\s*")


class TextError(Exception):
    """The file of texts is not whole; the message names the text."""


class Language(NamedTuple):
    """The texts of one language, by dotted names."""

    code: str
    texts: Mapping[str, str]

    def __call__(self, name: str, /, **values: object) -> str:
        """A text with its values in place. KeyError: there is no such text."""
        return self.texts[name].format(**values) if values else self.texts[name]

    def counted(self, name: str, count: int, **values: object) -> str:
        """A text about so many; a language may have another for one (`name_one`)."""
        return self(f"{name}_one" if count == 1 and f"{name}_one" in self.texts else name, count=f"{count:,}", **values)

    def named(self, kind: str, name: str) -> str:
        """What a channel, stage, namespace or reason is called; a name without a text stands for itself."""
        return self.texts.get(f"{kind}.{name}", name)


def read(text: str) -> dict[str, Language]:
    """The languages of a file. Raises TextError when a text lacks one of them."""
    found: dict[str, dict[str, str]] = {code: {} for code in LANGUAGES}
    for section, entries in tomllib.loads(text).items():
        for name, spoken in entries.items():
            if set(spoken) != set(LANGUAGES):
                raise TextError(f"{section}.{name} is in {', '.join(spoken)}, not in {', '.join(LANGUAGES)}")
            for code, words in spoken.items():
                found[code][f"{section}.{name}"] = words
    return {code: Language(code, texts) for code, texts in found.items()}


def chosen(accepted: str) -> str:
    """The language for an Accept-Language header: the one it likes best of ours, else English."""
    liked: dict[str, float] = {}
    for part in accepted.split(","):
        if found := _QUALITY.fullmatch(part):
            code = found[1].partition("-")[0].lower()
            liked.setdefault("en" if code == "*" else code, float(found[2] or 1))
    ours = [code for code in liked if code in LANGUAGES and liked[code] > 0]
    return max(ours, key=lambda code: liked[code], default="en")


LANGUAGE = read(FILE.read_text(encoding="utf-8"))
