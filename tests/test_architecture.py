"""The house plan, read from the imports: they run downwards only, no art imports another, and no door is private."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "ictus"
ARTS = {"conducting", "dance", "sound"}
LAYERS = (  # from the ground up; what stands in one line may import each other, but for the arts
    {"errors"},
    {"files", "processes"},
    {"audio", "skeleton", "frechet"},
    {"kinematics", "formats"},
    {"motion", "nn", "features", "rehearsal", "comparison", "corpora"},
    {*ARTS, "stage"},
    {"hub", "training"},
    {"studio"},
    {"cli"},
)
PLACES = {name: floor for floor, names in enumerate(LAYERS) for name in names}
FILES = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
INSIDE = [name for name in FILES if name not in ("__init__.py", "__main__.py")]  # these open the house


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imports(code: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Yield line, module and name of every import of ictus; the name is empty where a whole module is imported."""
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ictus":
            yield from ((node.lineno, str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, one.name, "") for one in node.names if one.name.startswith("ictus."))


def private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def upward(name: str, code: ast.Module) -> list[str]:
    """Return the imports that do not run downwards, as lines."""
    home = name.partition("/")[0].removesuffix(".py")
    found = []
    for line, module, what in imports(code):
        other = (module if module != "ictus" else f"ictus.{what}").split(".")[1]
        sideways = home != other and {home, other} <= ARTS
        knows_art = home == "training" and other in ARTS
        if PLACES.get(other, 0) > PLACES[home] or sideways or knows_art:
            found.append(f"{name}:{line} imports {module} {what}".rstrip())
    return found


def private_doors(name: str, code: ast.Module) -> list[str]:
    """Return the uses of another module's private names, as lines.

    An attribute counts as another's if nothing in the file itself gives anything this name, and it is not one of a
    module from outside, such as `os._exit`.
    """
    found = [
        f"{name}:{line} imports {module} {what}".rstrip()
        for line, module, what in imports(code)
        if private(what) or any(map(private, module.split(".")))
    ]
    nodes = list(ast.walk(code))
    outside = {
        alias.asname or alias.name.partition(".")[0]
        for node in nodes
        if isinstance(node, ast.Import)
        for alias in node.names
        if not alias.name.startswith("ictus")
    }
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return found + [
        f"{name}:{node.lineno} reaches for {ast.unparse(node)}"
        for node in nodes
        if isinstance(node, ast.Attribute)
        and private(node.attr)
        and node.attr not in own
        and not (isinstance(node.value, ast.Name) and node.value.id in outside)
    ]


def test_every_part_of_the_house_has_its_place() -> None:
    assert {name.partition("/")[0].removesuffix(".py") for name in INSIDE} <= set(PLACES)


@pytest.mark.parametrize("name", INSIDE)
def test_imports_run_downwards_only(name: str) -> None:
    assert upward(name, tree(FILES[name])) == []


@pytest.mark.parametrize("name", FILES)
def test_nobody_uses_anothers_private_names(name: str) -> None:
    assert private_doors(name, tree(FILES[name])) == []


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("dance/fact.py", "from ictus.sound import films", "dance/fact.py:1 imports ictus.sound films"),
        ("motion.py", "def f():\n    import ictus.stage.page", "motion.py:2 imports ictus.stage.page"),
        ("training/loop.py", "from ictus import dance", "training/loop.py:1 imports ictus dance"),
        ("studio/app.py", "from ictus.cli.batch import run", "studio/app.py:1 imports ictus.cli.batch run"),
    ],
)
def test_an_import_upwards_is_found(name: str, code: str, line: str) -> None:
    assert upward(name, ast.parse(code)) == [line]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("from ictus.stage.page import _part", "a.py:1 imports ictus.stage.page _part"),
        ("from ictus import hub\nhub._found(1)", "a.py:2 reaches for hub._found"),
        ("class A(B):\n    def f(self):\n        return self._of_b", "a.py:3 reaches for self._of_b"),
    ],
)
def test_a_private_door_is_found(code: str, line: str) -> None:
    assert private_doors("a.py", ast.parse(code)) == [line]


def test_what_is_ones_own_or_from_outside_is_no_private_door() -> None:
    assert (
        private_doors("a.py", ast.parse("import os\nclass A:\n    _x = 1\n    y = lambda self: self._x\nos._exit(0)"))
        == []
    )
