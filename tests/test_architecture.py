"""The house plan, read from the imports: they run downwards only, no art imports another, and no door is private."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "ictus"
ARTS = {"conducting", "dance", "sound"}
LAYERS = (  # from the ground up; what stands in one line may import each other, but for the arts
    {"errors", "types", "limits"},
    {"arrays", "config", "documents", "files", "media", "processes", "task"},
    {"decoding", "downmix", "sample_chunk"},
    {"audio", "skeleton", "kinematics"},
    {"formats", "retargeting", "video_io"},  # the first two know no Motion, so that one can be loaded from a file
    {"motion", "corpora"},
    {"features", "nn", "metrics"},
    {"beats", "scores"},
    {"synthesis", "pose"},
    {*ARTS, "render"},
    {"registry", "io", "training"},
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
    """Yield line, module and name of every import of ictus; the name is empty where a whole module is imported.

    What `import_module` is given counts, if it is text.
    """
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ictus":
            yield from ((node.lineno, str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, one.name, "") for one in node.names if one.name.startswith("ictus."))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            texts = (part.value for part in ast.walk(node) if isinstance(part, ast.Constant))
            yield from (
                (node.lineno, text, "") for text in texts if isinstance(text, str) and text.startswith("ictus.")
            )


def files_imported(code: ast.Module) -> Iterator[str]:
    """Yield the files that are imported when a file is: not within functions, nor for type checkers alone."""
    later = [node for node in ast.walk(code) if isinstance(node, ast.FunctionDef | ast.If)]
    inside = {id(below) for node in later for below in ast.walk(node)}
    top = ast.Module([node for node in ast.walk(code) if isinstance(node, ast.stmt) and id(node) not in inside], [])
    for _, module, what in imports(ast.Module([node for node in top.body if not isinstance(node, ast.ClassDef)], [])):
        for path in (f"{module}.{what}", module):
            file = path.removeprefix("ictus").lstrip(".").replace(".", "/")
            if f"{file}.py" in FILES:
                yield f"{file}.py"
                break


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


def test_imports_run_downwards_only() -> None:
    assert [line for name in INSIDE for line in upward(name, tree(FILES[name]))] == []


def test_nobody_uses_anothers_private_names() -> None:
    assert [line for name, path in FILES.items() for line in private_doors(name, tree(path))] == []


def test_there_are_no_circles() -> None:
    graph = {name: set(files_imported(tree(path))) - {name} for name, path in FILES.items()}
    while leaves := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for name in leaves:
            del graph[name]
    assert sorted(graph) == []


@pytest.mark.parametrize(
    ("name", "code", "line"),
    [
        ("dance/models/fact.py", "from ictus.sound import films", "dance/models/fact.py:1 imports ictus.sound films"),
        ("motion.py", "def f():\n    import ictus.render.page", "motion.py:2 imports ictus.render.page"),
        ("training/loop.py", "from ictus import dance", "training/loop.py:1 imports ictus dance"),
        ("studio/app.py", "from ictus.cli.batch import run", "studio/app.py:1 imports ictus.cli.batch run"),
    ],
)
def test_an_import_upwards_is_found(name: str, code: str, line: str) -> None:
    assert upward(name, ast.parse(code)) == [line]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("from ictus.render.page import _part", "a.py:1 imports ictus.render.page _part"),
        ("from ictus import registry\nregistry._found(1)", "a.py:2 reaches for registry._found"),
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


def test_the_library_names_no_flag_of_the_command_line():
    flag = re.compile(r"(?<![\w(-])(--(?!x)[a-z]{2,}|-o\b)")
    named = [
        f"{name}:{node.lineno}: {found[0]}"
        for name in FILES
        if not name.startswith("cli/")
        for node in ast.walk(tree(FILES[name]))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := flag.search(node.value))
    ]
    others = ("formats/openpose.py", "pose/networks.py")  # which name those of OpenPose and of pip
    assert [one for one in named if not one.startswith(others)] == []
