"""README and docs: their Python runs, their commands are understood, and their links lead somewhere."""

import ast
import functools
import importlib
import importlib.util
import inspect
import pkgutil
import re
import shlex
import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import ictus.cli
from ictus.synthesis.band import compose_song
from ictus.synthesis.synthesizer import synthesize

ROOT = Path(__file__).parents[1]
PAGES = {
    path.relative_to(ROOT).as_posix(): path for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
}
WALKED = ("README.md", "docs/start.md")  # whose commands are not only understood, but done
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NEEDS = "# Needs "  # begins a block of Python that needs what not everybody has


def blocks(page: str, language: str) -> list[str]:
    return [body for name, body in FENCE.findall(PAGES[page].read_text("utf-8")) if name == language]


def commands(page: str) -> Iterator[list[str]]:
    """Yield the words of each command, without the prompt and what is said about it."""
    for block in blocks(page, "console"):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("$ "):
                yield shlex.split(line[2:], comments=True)


def ictus_words(words: list[str]) -> list[str] | None:
    """Return what the command line of ictus is given, or None if another program is called."""
    for start in (["ictus"], [".venv/bin/ictus"]):
        if words[: len(start)] == start:
            return words[len(start) :]
    return words[words.index("ictus") + 1 :] if words[0] == "torchrun" else None


PYTHON = [page for page in PAGES if blocks(page, "python")]
COMMANDS = sorted({tuple(words) for page in PAGES for command in commands(page) if (words := ictus_words(command))})
OTHERS = [(page, command) for page in PAGES for command in commands(page) if ictus_words(command) is None]


@pytest.fixture(scope="session")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds of a song, as song.wav and song.mp3."""
    folder = tmp_path_factory.mktemp("music")
    audio = synthesize(compose_song(np.random.default_rng(0), "rock"), rate=22050, span=(0.0, 8.0))
    for suffix in (".wav", ".mp3"):
        audio.save(folder / f"song{suffix}")
    return folder


@pytest.fixture
def folder(music: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a reader sits who follows a page."""
    for file in music.iterdir():
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PYTHON)
def test_python_runs(page: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("page")  # one namespace for all blocks of a page, in which classes find their types
    monkeypatch.setitem(sys.modules, "page", module)
    for number, block in enumerate(blocks(page, "python"), 1):
        code = compile(block, f"{page}, block {number}", "exec")
        if block.startswith(NEEDS):
            check_imports(block)
        else:
            exec(code, vars(module))


def check_imports(block: str) -> None:
    for node in ast.walk(ast.parse(block)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found = importlib.import_module(node.module)
            assert all(hasattr(found, alias.name) for alias in node.names), ast.unparse(node)


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let every command return 0 when it has been understood; the list says which were called."""
    called: list[str] = []

    def understood(function: types.FunctionType) -> types.FunctionType:
        @functools.wraps(function)
        def only(*args: object, **options: object) -> int:
            called.append(f"{function.__module__}.{function.__name__}")
            return 0

        return only  # type: ignore[return-value]

    for found in pkgutil.iter_modules(ictus.cli.__path__, "ictus.cli."):
        module = importlib.import_module(found.name)
        for name, thing in inspect.getmembers(module, inspect.isfunction):
            own = thing.__module__ == module.__name__
            if own and (name == "run" or name.startswith(("prepare_", "inspect_", "plot_", "evaluate_"))):
                monkeypatch.setattr(module, name, understood(thing))
    return called


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_is_understood(words: tuple[str, ...], idle: list[str]) -> None:
    if "--help" in words:
        with pytest.raises(SystemExit) as end:
            ictus.cli.main(list(words))
        assert end.value.code == 0
    else:
        assert ictus.cli.main(list(words)) == 0
        assert len(idle) == 1
    for word in words:
        if word.startswith("recipes/"):
            assert (ROOT / word).is_file(), word


def test_a_wrong_command_is_not_understood(idle: list[str]) -> None:
    for words in (["conduct", "x.mp3", "--metre", "3"], ["dance", "--genre"], ["data", "prepare", "nothing"]):
        with pytest.raises(SystemExit) as end:
            ictus.cli.main(words)
        assert end.value.code == 2
    assert not idle


@pytest.mark.parametrize(
    ("page", "words"), OTHERS, ids=lambda value: value if isinstance(value, str) else " ".join(value)
)
def test_what_other_programs_are_given_is_there(page: str, words: list[str]) -> None:
    program, *given = words
    match program.removeprefix(".venv/bin/"), given:
        case "make", [target, *_]:
            assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        case "bash", [script, *_]:
            assert (ROOT / script).is_file()
        case "python" | "python3", ["-m", module, *rest]:
            names = rest if module == "pydoc" else [module]
            assert all(importlib.util.find_spec(name) for name in names)
        case "python" | "python3", [script, *_]:
            assert (ROOT / script).is_file()
        case "pip", ["install", *_]:
            pass
        case _:
            pytest.fail(f"{page}: nobody has told this test what {program} is")


@pytest.mark.slow
@pytest.mark.parametrize("page", WALKED)
def test_a_reader_can_do_what_the_page_does(page: str, folder: Path) -> None:
    done = 0
    for words in map(ictus_words, commands(page)):
        if words and (words == ["models"] or (len(words) > 1 and (folder / words[1]).is_file())):
            assert ictus.cli.main(words) == 0, words
            done += 1
    assert done >= 5
    assert (folder / "song.mp4").stat().st_size > 10_000
    assert (folder / "song.bvh").is_file()


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    for link in LINK.findall(FENCE.sub("", PAGES[page].read_text("utf-8"))):
        if link.startswith(("https://", "http://")):
            continue
        name, _, anchor = link.partition("#")
        target = (PAGES[page].parent / name).resolve() if name else PAGES[page]
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def anchors(text: str) -> set[str]:
    """Return the headings of a page as links name them."""
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in HEADING.findall(FENCE.sub("", text)))
    return {heading.strip().replace(" ", "-") for heading in kept}


def test_recipes_that_are_named_exist() -> None:
    for page, path in PAGES.items():
        for name in re.findall(r"\brecipes/[\w./-]+\.(?:yaml|sh|py)", path.read_text("utf-8")):
            assert (ROOT / name).is_file(), f"{page}: {name}"
