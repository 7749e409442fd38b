"""Regions of China by their six-digit code (GB/T 2260), from the names that people write.

Names are read from the province downwards, as addresses are: each must lie within the one before it. A level may be left out
where only one region of that name lies below. A name that several regions have is a name of none, so `朝阳区` alone is unknown;
neither is the nearest region guessed, nor a region that only begins like a word of the address: a short name (`深圳`, without
its 市) counts at the end, or in front of another region's name. What is unknown is UNKNOWN.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

UNKNOWN = "unknown"
TEXT_LENGTH_MAX = 200
"""Only so much of an address is looked at."""

_KINDS = (
    *("特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "自治州", "自治县", "自治旗"),
    *("地区", "林区", "特区", "新区", "省", "市", "区", "县", "盟", "旗"),
)
_SHORT_LENGTH_MIN = 2
_BETWEEN = " \t\r\n,，、/|>-·"
_WITHOUT_MEANING = ("中国", "中华人民共和国")
_FILLERS = ("市辖区", "县")
"""What stands in place of a city where the province is one."""


class Regions:
    """The regions there are: code and full name of each; `successors` are withdrawn codes with those that took their place."""

    def __init__(self, named: Iterable[tuple[str, str]], successors: Mapping[str, str] | None = None) -> None:
        self._names = dict(named)
        self._successors = successors or {}
        self._full: dict[str, list[str]] = defaultdict(list)
        self._short: dict[str, list[str]] = defaultdict(list)
        for code, name in self._names.items():
            self._full[name].append(code)
            short = _short(name)
            if short != name:
                self._short[short].append(code)
        self._longest = max(map(len, self._names.values()), default=0)

    def code_of(self, told: object) -> str:
        """The code of a region that is told as a code or in words, or UNKNOWN."""
        text = str(told) if isinstance(told, str | int) and not isinstance(told, bool) else ""
        text = "".join(character for character in text[:TEXT_LENGTH_MAX] if character not in _BETWEEN)
        if text.isascii() and text.isdigit():
            return self._of_code(text)
        for prefix in _WITHOUT_MEANING:
            text = text.removeprefix(prefix)
        return self._of_words(text)

    def _of_code(self, digits: str) -> str:
        if len(digits) == 12 and digits.endswith("000000"):
            digits = digits[:6]
        code = self._successors.get(digits, digits)
        return code if code in self._names else UNKNOWN

    def _of_words(self, text: str) -> str:
        within, is_sure, place = "", True, 0
        while place < len(text):
            found = self._next(text, place, within)
            if found is None:
                filler = self._filler(text, place, within)
                if filler == place:
                    break
                place = filler
                continue
            code, place, is_full = found
            within, is_sure = code, is_full or place == len(text)
            if code == UNKNOWN:
                return UNKNOWN
            if not is_full and place < len(text) and self._next(text, place, code) is None:
                return UNKNOWN
        return within if within and is_sure else UNKNOWN

    def _next(self, text: str, place: int, within: str) -> tuple[str, int, bool] | None:
        """The region that is named at a place, where its name ends, and whether it is the full one; the longest name counts."""
        stem = _stem(within)
        for end in range(min(len(text), place + self._longest), place + _SHORT_LENGTH_MIN - 1, -1):
            word = text[place:end]
            for names, is_full in ((self._full, True), (self._short, False)):
                below = [code for code in names.get(word, ()) if code.startswith(stem) and code != within]
                if below:
                    return _only(below), end, is_full
        return None

    def _filler(self, text: str, place: int, within: str) -> int:
        """The place behind what only repeats the region, or stands for a level that there is not."""
        for word in (self._names.get(within, ""), *_FILLERS):
            if within and word and text.startswith(word, place):
                return place + len(word)
        return place


def _only(codes: list[str]) -> str:
    """Of regions that have one name: the only one, or the only province, or the one that all others lie within."""
    provinces = [code for code in codes if code.endswith("0000")]
    widest = provinces if len(provinces) == 1 else [code for code in codes if all(one.startswith(_stem(code)) for one in codes)]
    return widest[0] if len(widest) == 1 else UNKNOWN


def _stem(code: str) -> str:
    """What the codes of regions within begin with."""
    if code.endswith("0000"):
        return code[:2]
    return code[:4] if code.endswith("00") else code


def _short(name: str) -> str:
    for kind in _KINDS:
        short = name.removesuffix(kind)
        if short != name and len(short) >= _SHORT_LENGTH_MIN:
            return short
    return name
