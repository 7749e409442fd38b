"""The rules of the house, held against every file that git knows; and the rules themselves, held against tiny snippets."""

import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tidy
from tests.tidy import CODE, ENVIRONMENT, RULES, Findings, Rule, Source

ROOT = Path(__file__).resolve().parents[1]
FUNCTION_P90_MAX = 20.0
PICTURES = (".png",)

SNIPPETS: list[tuple[Callable[[Source], Findings], str, str, int]] = [
    (tidy.short_functions, "app/a.py", "def f():\n" + "    x = 1\n" * 39, 0),
    (tidy.short_functions, "app/a.py", "def f():\n" + "    x = 1\n" * 40, 1),
    (tidy.short_files, "app/a.py", "x = 1\n" * 300, 0),
    (tidy.short_files, "app/a.py", "x = 1\n" * 301, 1),
    (tidy.flat_functions, "app/a.py", "def f():\n for a in b:\n  if a:\n   with a:\n    a()", 0),
    (tidy.flat_functions, "app/a.py", "def f():\n for a in b:\n  if a:\n   with a:\n    if b:\n     a()", 1),
    (tidy.flat_functions, "app/a.py", "def f():\n if a: a()\n elif b: a()\n elif c: a()\n elif d: a()\n else: b()", 0),
    (tidy.flat_functions, "app/a.py", "def f():\n try: a()\n except A:\n  while b:\n   match c:\n    case 1:\n     if d: a()", 1),
    (tidy.flat_functions, "app/a.py", "def f():\n if a: pass\n else:\n  for a in b:\n   if c:\n    if d: a()", 1),
    (tidy.imports_at_the_top, "app/a.py", "import os\nfrom a import b", 0),
    (tidy.imports_at_the_top, "app/a.py", "def f():\n    import os\n    from a import b", 2),
    (tidy.imports_by_name, "app/a.py", "from a import b, c", 0),
    (tidy.imports_by_name, "app/a.py", "from a import *", 1),
    (tidy.nothing_left_over, "a.md", "what is done is done", 0),
    (tidy.nothing_left_over, "a.md", "# TO" + "DO: later\n# FIX" + "ME", 2),
    (tidy.speaking_names, "app/normalise.py", "", 0),
    (tidy.speaking_names, "app/utils.py", "", 1),
    (tidy.speaking_names, "app/common/phone.py", "", 1),
    (
        tidy.pure_imports,
        "models/a.py",
        "import hmac, msgspec\nfrom models.ids import Identifier\nfrom collections.abc import Iterator",
        0,
    ),
    (tidy.pure_imports, "models/a.py", "import orjson\nfrom app.clock import now_ms\nfrom . import ids", 3),
    (tidy.pure_imports, "models/a.py", "import time, random\nimport os.path", 3),
    (tidy.environment_in_one_place, "app/settings.py", "import os\nos.environ['A']", 0),
    (tidy.environment_in_one_place, "app/a.py", "import os\nos.environ['A']\nos.getenv('A')", 2),
    (tidy.one_clock, "app/a.py", "time.monotonic() - time.perf_counter()\ndatetime.fromtimestamp(0, UTC)", 0),
    (tidy.one_clock, "app/a.py", "time.time()\ndatetime.datetime.now(UTC)\nfrom time import time_ns", 3),
    (tidy.one_clock, "app/clock.py", "time.time_ns()", 0),
    (tidy.modules_explained, "app/a.py", '"""Why."""\nx = 1', 0),
    (tidy.modules_explained, "app/__init__.py", "", 0),
    (tidy.modules_explained, "app/a.py", "x = 1", 1),
    (tidy.public_explained, "app/a.py", 'def f():\n    """Does."""\n    def inner(): ...\ndef _g(): ...', 0),
    (tidy.public_explained, "app/a.py", "def f(): ...\nclass C:\n    def m(self): ...\n    def _n(self): ...", 3),
    (tidy.public_explained, "app/a.py", 'class V(View):\n    """Shows."""\n    def get(self): ...', 0),
    (tidy.public_explained, "app/a.py", 'class V(Generic[T]):\n    """Holds."""\n    def get(self): ...', 1),
    (tidy.named_edges, "app/a.py", "try: a()\nexcept (OSError, KeyError): b()", 0),
    (tidy.named_edges, "app/a.py", "try: a()\nexcept Exception as e:  # the edge of the worker\n    b()", 0),
    (tidy.named_edges, "app/a.py", "try: a()\nexcept BaseException:\n    b()\n    raise", 0),
    (
        tidy.named_edges,
        "app/a.py",
        "try: a()\nexcept Exception: b()\ntry: a()\nexcept: b()\ntry: a()\nexcept (OSError, Exception): b()",
        3,
    ),
    (tidy.no_registry, "a.toml", "the package index", 0),
    (tidy.no_registry, "a.toml", "https://pypi" + ".org/simple", 1),
    (tidy.one_title, "a.md", "# Title\n\n```console\n# no title\n```\n## Part", 0),
    (tidy.one_title, "a.md", "# Title\n# Another", 1),
    (tidy.one_title, "a.md", "Words first\n# Title", 1),
]


def sources() -> list[Source]:
    """Every text file that git keeps or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [name for name in listed.stdout.splitlines() if (ROOT / name).is_file() and not name.endswith(PICTURES)]
    return [Source(name, (ROOT / name).read_text(encoding="utf-8")) for name in files]


SOURCES = sources()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.check.__name__)
def test_every_file_obeys(rule: Rule) -> None:
    held = [source for source in SOURCES if rule.applies(source.path)]
    assert held, "a rule that holds for no file holds nothing"
    assert [f"{source.path}:{line}: {why}" for source in held for line, why in rule.check(source)] == []


def test_most_functions_are_far_shorter_than_the_longest_that_is_allowed() -> None:
    lengths = [
        tidy.length(f) for source in SOURCES if Rule(tidy.short_functions, CODE).applies(source.path) for f in source.functions()
    ]
    assert statistics.quantiles(lengths, n=10)[-1] <= FUNCTION_P90_MAX


def test_every_exception_is_still_needed() -> None:
    texts = {source.path: source.text for source in SOURCES}
    assert [path for path in ENVIRONMENT if "environ" not in texts[path]] == []


@pytest.mark.parametrize(("check", "path", "text", "count"), SNIPPETS)
def test_a_rule_finds_what_breaks_it_and_nothing_else(
    check: Callable[[Source], Findings], path: str, text: str, count: int
) -> None:
    assert len(list(check(Source(path, text)))) == count


def test_every_rule_has_a_snippet_that_breaks_it_and_one_that_does_not() -> None:
    for rule in RULES:
        counts = {count > 0 for check, _, _, count in SNIPPETS if check is rule.check}
        assert counts == {True, False}, rule.check.__name__
