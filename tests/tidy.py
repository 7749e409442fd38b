"""The house rules as data: what a rule looks at, and the sentence for each place that breaks it.

A rule is a generator over one source file and knows nothing of the others; `RULES` says where each applies. What a tool
holds already (line length, formatting, commented-out code, types) is the tool's: see pyproject.toml.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

FUNCTION_LINES_MAX, FILE_LINES_MAX, NESTING_MAX = 40, 300, 3

VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
LEFTOVER = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
REGISTRIES = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("maven", "org"),
        ("maven", "apache", "org"),
        ("npmjs", "org"),
        ("docker", "io"),
        ("ghcr", "io"),
        ("quay", "io"),
    )
]
IMPURE = {"time", "random", "secrets", "uuid", "os", "io", "pathlib", "logging", "socket", "subprocess", "asyncio", "threading"}
ENVIRONMENT = {
    "app/settings.py": "every setting",
    "app/cache.py": "where the user keeps caches",
    "app/broker/java.py": "where the machine keeps Java",
    "app/broker/fetch.py": "handed on to a child, not looked at",
    "app/broker/server.py": "handed on to a child, not looked at",
    "app/commands/members.py": "handed on to children, not looked at",
}
"""File -> what it wants of the environment."""
WALL_CLOCK = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "datetime.now", "datetime.utcnow", "date.today"}

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
OWN_BASES = {"Protocol", "Generic", "NamedTuple", "Exception"}


@dataclass(frozen=True)
class Source:
    """A file: its path from the root of the repository, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """Python's own reading of it."""
        return ast.parse(self.text)

    @property
    def lines(self) -> list[str]:
        """Its lines, without their ends."""
        return self.text.splitlines()

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        """All of them, methods and inner ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, FUNCTIONS))


class Finding(NamedTuple):
    """A place that breaks a rule."""

    line: int
    why: str


Findings = Iterator[Finding]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function with its docstring, without its decorators."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def short_functions(source: Source) -> Findings:
    for function in source.functions():
        if length(function) > FUNCTION_LINES_MAX:
            yield Finding(function.lineno, f"{function.name} has {length(function)} lines, more than {FUNCTION_LINES_MAX}")


def short_files(source: Source) -> Findings:
    if len(source.lines) > FILE_LINES_MAX:
        yield Finding(1, f"{len(source.lines)} lines, more than {FILE_LINES_MAX}; split it by thought")


def flat_functions(source: Source) -> Findings:
    for function in source.functions():
        if (deep := nesting(function.body)) > NESTING_MAX:
            yield Finding(function.lineno, f"{function.name} nests {deep} deep, more than {NESTING_MAX}")


def nesting(body: Sequence[ast.stmt]) -> int:
    """How deep blocks lie in one another; an `elif` lies beside its `if`, an inner function counts for itself."""
    return max((_nesting(statement) for statement in body), default=0)


def _nesting(statement: ast.stmt) -> int:
    match statement:
        case ast.If(body=body, orelse=[ast.If() as other]):
            return max(1 + nesting(body), _nesting(other))
        case ast.If(body=body, orelse=orelse):
            return 1 + max(nesting(body), nesting(orelse))
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            return 1 + max(nesting(part) for part in (body, orelse, final, *(handler.body for handler in handlers)))
        case ast.Match(cases=cases):
            return 1 + max(nesting(case.body) for case in cases)
        case ast.For() | ast.AsyncFor() | ast.While() | ast.With() | ast.AsyncWith():
            return 1 + nesting(statement.body)
    return 0


def imports_at_the_top(source: Source) -> Findings:
    for function in source.functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield Finding(node.lineno, f"{function.name} imports; imports stand at the top of the module")


def imports_by_name(source: Source) -> Findings:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            yield Finding(node.lineno, "import * hides where names come from; import them by name")


def nothing_left_over(source: Source) -> Findings:
    for number, line in enumerate(source.lines, 1):
        if found := LEFTOVER.search(line):
            yield Finding(number, f"{found[0]}: do it, or leave it")


def speaking_names(source: Source) -> Findings:
    for part in source.path.removesuffix(".py").split("/"):
        if part in VAGUE:
            yield Finding(1, f"{part} says nothing; name the module for its thought")


def pure_imports(source: Source) -> Findings:
    for line, name in _imported(source.tree):
        top = name.partition(".")[0]
        if top not in {"models", "msgspec"} and (top not in sys.stdlib_module_names or top in IMPURE):
            yield Finding(line, f"models import {name}; only the pure part of the standard library, msgspec and models")


def _imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or "."


def environment_in_one_place(source: Source) -> Findings:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb", "getenv"} and source.path not in ENVIRONMENT:
            yield Finding(node.lineno, "reads the environment; app/settings.py does that for all")


def one_clock(source: Source) -> Findings:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and source.path != "app/clock.py":
            called = ast.unparse(node.func)
            if ".".join(called.split(".")[-2:]) in WALL_CLOCK:
                yield Finding(node.lineno, f"{called}() reads the wall clock; app.clock does that for all")
        if isinstance(node, ast.ImportFrom) and node.module == "time" and any(f"time.{a.name}" in WALL_CLOCK for a in node.names):
            yield Finding(node.lineno, "imports the wall clock; app.clock does that for all")


def modules_explained(source: Source) -> Findings:
    if source.text.strip() and ast.get_docstring(source.tree) is None:
        yield Finding(1, "no docstring: what it knows, what it refuses to know, its invariant")


def public_explained(source: Source) -> Findings:
    for owner, definition in _public(source.tree):
        if ast.get_docstring(definition) is None and not _is_explained_by_its_base(owner):
            yield Finding(definition.lineno, f"{definition.name} has no docstring: its contract")


def _public(node: ast.Module | ast.ClassDef) -> Iterator[tuple[ast.Module | ast.ClassDef, Definition]]:
    for child in node.body:
        if isinstance(child, (*FUNCTIONS, ast.ClassDef)) and not child.name.startswith("_"):
            yield node, child
            if isinstance(child, ast.ClassDef):
                yield from _public(child)


def _is_explained_by_its_base(owner: ast.Module | ast.ClassDef) -> bool:
    """A method of a subclass has its contract from there; those of a protocol are its docstring's."""
    if isinstance(owner, ast.Module):
        return False
    bases = {ast.unparse(base).partition("[")[0] for base in owner.bases}
    return "Protocol" in bases or not bases <= OWN_BASES


def named_edges(source: Source) -> Findings:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _catches_all(node) and "  # " not in source.lines[node.lineno - 1]:
            yield Finding(node.lineno, "catches everything; name the edge in a comment on this line, or what is expected")


def _catches_all(handler: ast.ExceptHandler) -> bool:
    """And keeps it: a handler that ends with a bare `raise` only tidies up."""
    last = handler.body[-1]
    passes_on = isinstance(last, ast.Raise) and last.exc is None
    caught = "BaseException" if handler.type is None else ast.unparse(handler.type)
    return not passes_on and bool({"Exception", "BaseException"} & set(re.findall(r"\w+", caught)))


def no_registry(source: Source) -> Findings:
    for number, line in enumerate(source.lines, 1):
        for host in REGISTRIES:
            if host in line:
                yield Finding(number, f"names {host}; which registry is used is the machine's affair")


def one_title(source: Source) -> Findings:
    prose = re.sub(r"^```.*?^```", "", source.text, flags=re.MULTILINE | re.DOTALL)
    titles = re.findall(r"^# .+", prose, flags=re.MULTILINE)
    if len(titles) != 1 or not source.text.startswith("# "):
        yield Finding(1, f"{len(titles)} titles; a document begins with its only one")


class Rule(NamedTuple):
    """Where a rule applies, by the beginning and the end of the path."""

    check: Callable[[Source], Findings]
    folders: tuple[str, ...]
    ends: tuple[str, ...] = (".py",)

    def applies(self, path: str) -> bool:
        """Whether this file is to obey."""
        return path.startswith(self.folders) and path.endswith(self.ends)


CODE = ("app/", "agents/", "tables/", "models/")
PYTHON = (*CODE, "tests/")
RULES = (
    Rule(short_functions, PYTHON),
    Rule(short_files, PYTHON),
    Rule(flat_functions, PYTHON),
    Rule(imports_at_the_top, PYTHON),
    Rule(imports_by_name, PYTHON),
    Rule(nothing_left_over, ("",), (".py", ".md")),
    Rule(speaking_names, PYTHON),
    Rule(pure_imports, ("models/",)),
    Rule(environment_in_one_place, CODE),
    Rule(one_clock, ("app/", "agents/", "tables/")),
    Rule(modules_explained, PYTHON),
    Rule(public_explained, CODE),
    Rule(named_edges, CODE),
    Rule(no_registry, ("",), ("",)),
    Rule(one_title, ("",), (".md",)),
)
