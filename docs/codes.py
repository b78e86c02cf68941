"""Finds every error code and every rule in the source, by reading it and never by running it.

A code is the first argument of an error family of `register.errors`, a rule that of a `Fault`; both may pass through
functions that make the error for others (`invalid`, `fault`), through tables, and through choices.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard

RULE: Final = "rule"
"""What a `Fault` is made with, unlike the code of an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One place where a code or rule is used.

    Attributes:
        family: name of the error family, or RULE.
        says: its sentence with `…` for what is filled in, or "" where it is made elsewhere.
    """

    code: str
    family: str
    says: str
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """A callable that makes an error: where its code and its sentence stand among the arguments.

    Attributes:
        code, says: position and name of each argument; prefix: what it puts before the code.
    """

    family: str
    code: tuple[int, str]
    says: tuple[int, str] | None
    prefix: str = ""
    default: str | None = None


FAMILIES: Final[Mapping[str, Maker]] = {
    "Refused": Maker(family="Refused", code=(0, "code"), says=(1, "message")),
    "Exhausted": Maker(family="Exhausted", code=(0, "code"), says=(1, "message")),
    "Invalid": Maker(family="Invalid", code=(1, "code"), says=None, default="invalid"),
    "NotFound": Maker(family="NotFound", code=(0, "code"), says=(1, "message"), default="not-found"),
    "Conflict": Maker(family="Conflict", code=(0, "code"), says=(1, "message")),
    "Unavailable": Maker(family="Unavailable", code=(0, "code"), says=(1, "message")),
    "Tampered": Maker(family="Tampered", code=(0, "code"), says=(1, "message"), default="tampered"),
    "Fault": Maker(family=RULE, code=(1, "rule"), says=(2, "message")),
}

PROBLEMS: Final[Mapping[str, Maker]] = {
    "api.http.problems.problem": Maker(family="HTTP", code=(1, "code"), says=(2, "detail"))
}
"""What answers over HTTP without an error of ours behind it."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """One module, with the functions around each of its nodes."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.tree = ast.parse(path.read_text("utf-8"))
        self.around: dict[ast.AST, Function] = {}
        self.imported: dict[str, str] = {}
        self._place(self.tree, None)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom):
                self.imported.update({one.asname or one.name: f"{node.module}.{one.name}" for one in node.names})

    def _place(self, node: ast.AST, function: Function | None) -> None:
        for child in ast.iter_child_nodes(node):
            if function is not None:
                self.around[child] = function
            self._place(child, child if isinstance(child, Function) else function)

    def calls(self) -> Iterator[ast.Call]:
        """Yield every call."""
        yield from (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def bare(self) -> Iterator[ast.Name]:
        """Yield what is raised without arguments."""
        yield from (node.exc for node in ast.walk(self.tree) if isinstance(node, ast.Raise) and _is_name(node.exc))

    def assigned(self, name: str, within: Function | None = None) -> Iterator[ast.expr]:
        """Yield every value that a plain assignment in this module (or function) gives `name`."""
        for node in ast.walk(within or self.tree):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                yield from (node.value for one in targets if isinstance(one, ast.Name) and one.id == name)


class Codes:
    """All codes of the modules of `rooms` under `root`."""

    def __init__(self, root: Path, rooms: tuple[str, ...]) -> None:
        paths = sorted(path for room in rooms for path in (root / room).rglob("*.py"))
        names = (".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__") for path in paths)
        self._sources = {name: Source(name, path) for name, path in zip(names, paths, strict=True)}
        self._makers: dict[str, list[Maker]] = defaultdict(list, {key: [one] for key, one in PROBLEMS.items()})
        self.found: set[Found] = set()
        self.unknown: set[str] = set()
        while self._pass():
            continue

    def _pass(self) -> bool:
        """Go over all calls once; say whether that taught us another function that makes errors."""
        before = sum(map(len, self._makers.values()))
        self.found, self.unknown = set(), set()
        for source in self._sources.values():
            for call in source.calls():
                for maker in self._made(source, call.func):
                    self._read(source, call, maker)
            for bare in source.bare():
                for maker in self._made(source, bare):
                    self._note(source, ast.Call(func=bare, args=[], keywords=[]), maker, str(maker.default))
        return sum(map(len, self._makers.values())) > before

    def _made(self, source: Source, function: ast.expr) -> list[Maker]:
        if isinstance(function, ast.Name):
            if function.id in FAMILIES and source.imported.get(function.id) == f"register.errors.{function.id}":
                return [FAMILIES[function.id]]
            return self._makers.get(source.imported.get(function.id, f"{source.name}.{function.id}"), [])
        if isinstance(function, ast.Attribute):
            return self._makers.get(f".{function.attr}", [])
        return []

    def _read(self, source: Source, call: ast.Call, maker: Maker) -> None:
        argument = _argument(call, maker.code)
        if argument is None:
            if maker.default is not None:
                self._note(source, call, maker, maker.default)
            return
        for code in self._values(source, call, maker, argument):
            self._note(source, call, maker, maker.prefix + code)

    def _note(self, source: Source, call: ast.Call, maker: Maker, code: str) -> None:
        for says in self._said(source, call, _argument(call, maker.says), code):
            self.found.add(Found(code=code, family=maker.family, says=says, place=source.name))

    def _said(self, source: Source, call: ast.Call, node: ast.expr | None, code: str) -> set[str]:
        """Return the sentences that `node` can be, for this code; one empty sentence where they cannot be read."""
        match node:
            case ast.Constant(value=str(value)):
                return {value}
            case ast.JoinedStr(values=parts):
                return {_filled(parts)}
            case ast.Subscript(value=ast.Name(id=table)):
                rows = [value for value in source.assigned(table) if isinstance(value, ast.Dict)]
                found = [
                    value
                    for row in rows
                    for key, value in zip(row.keys, row.values, strict=True)
                    if isinstance(key, ast.Constant) and key.value == code
                ]
            case ast.IfExp(body=one, orelse=other):
                found = [one, other]
            case ast.Name(id=name):
                before = [one for one in source.assigned(name, source.around.get(call)) if one.lineno <= call.lineno]
                found = sorted(before, key=lambda one: one.lineno)[-1:]
            case _:
                found = []
        return set().union(*(self._said(source, call, one, code) for one in found)) or {""}

    def _values(self, source: Source, call: ast.Call, maker: Maker, node: ast.expr) -> set[str]:
        """Return what `node` can be; learn a maker when it is an argument of the function around it."""
        match node:
            case ast.Constant(value=str(value)):
                return {value}
            case ast.Attribute(attr="code" | "rule"):  # handed on from an error that was made elsewhere
                return set()
            case ast.IfExp(body=one, orelse=other):
                return self._values(source, call, maker, one) | self._values(source, call, maker, other)
            case ast.Subscript(value=ast.Name(id=name)) if tables := _tables(source, name):
                return tables
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get"), args=[_, default]):
                return _tables(source, name) | self._values(source, call, maker, default)
            case ast.Call(func=ast.Name(id=name)):
                return self._returned(source, name)
            case ast.Name(id=name):
                return self._named(source, call, maker, name, "")
            case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), ast.FormattedValue(value=ast.Name(id=name))]):
                return self._named(source, call, maker, name, prefix)
            case ast.JoinedStr(values=[ast.Constant(value=str(prefix)), _]):
                return {f"{prefix}*"}
        self.unknown.add(f"{source.name}: {ast.unparse(call)}")
        return set()

    def _named(self, source: Source, call: ast.Call, maker: Maker, name: str, prefix: str) -> set[str]:
        function = source.around.get(call)
        if function is not None and name in (names := [one.arg for one in _arguments(function)]):
            self._learn(source, function, maker, names, name, prefix, _argument(call, maker.says))
            return set()
        found = [self._values(source, call, maker, value) for value in source.assigned(name)]
        if not found:
            self.unknown.add(f"{source.name}: {ast.unparse(call)}")
        return {prefix + one for one in set().union(*found)}

    def _learn(
        self,
        source: Source,
        function: Function,
        maker: Maker,
        names: list[str],
        code: str,
        prefix: str,
        says: ast.expr | None,
    ) -> None:
        method = names[0] in ("self", "cls")
        places = {one: place - method for place, one in enumerate(names)}
        told = next((one.id for one in ast.walk(says) if _is_name(one) and one.id in places), "") if says else ""
        key = f".{function.name}" if method else f"{source.name}.{function.name}"
        learnt = Maker(
            family=maker.family,
            code=(places[code], code),
            says=(places[told], told) if told in places else None,
            prefix=maker.prefix + prefix,
        )
        if learnt not in self._makers[key]:
            self._makers[key].append(learnt)

    def _returned(self, source: Source, name: str) -> set[str]:
        """Return every string that the function called `name` here can return."""
        module, _, plain = source.imported.get(name, f"{source.name}.{name}").rpartition(".")
        tree = self._sources[module].tree if module in self._sources else ast.Module(body=[], type_ignores=[])
        bodies = (node for node in ast.walk(tree) if isinstance(node, Function) and node.name == plain)
        answers = [node.value for body in bodies for node in ast.walk(body) if isinstance(node, ast.Return)]
        constants = (one for answer in answers if answer for one in ast.walk(answer) if isinstance(one, ast.Constant))
        return {one.value for one in constants if isinstance(one.value, str)}


def _arguments(function: Function) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _argument(call: ast.Call, place: tuple[int, str] | None) -> ast.expr | None:
    if place is None:
        return None
    named = next((one.value for one in call.keywords if one.arg == place[1]), None)
    return call.args[place[0]] if named is None and len(call.args) > place[0] else named


def _tables(source: Source, name: str) -> set[str]:
    """Return the string values of the tables called `name` in this module."""
    tables = (value for value in source.assigned(name) if isinstance(value, ast.Dict))
    values = (one.value for table in tables for one in table.values if isinstance(one, ast.Constant))
    return {one for one in values if isinstance(one, str)}


def _is_name(node: ast.AST | None) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name)


def _filled(parts: list[ast.expr]) -> str:
    """Return the first line of a formatted text, `…` standing for each place that is filled in."""
    text = "".join(str(one.value) if isinstance(one, ast.Constant) else "…" for one in parts)
    return text.partition("\n")[0].rstrip(":")
