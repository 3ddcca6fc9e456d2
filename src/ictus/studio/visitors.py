"""Who uses the studio, and what is theirs: folders that nobody else can read, gone when they are.

A visitor is a browser, known by a cookie that only the studio hands out. Everything of theirs lies in a folder with a
random name, under names that the studio gives; what they call their files is only ever shown to them.
"""

import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from ictus.errors import UsageError
from ictus.types import Progress

Maker = Callable[[Path, Progress], None]

KEPT = 4  # results of a visitor; older ones make room
SECONDS = 3600.0  # that files live at most
_STALLED = 60.0  # seconds after which an upload has broken off that is not written to any more


@dataclass(frozen=True)
class ResultFiles:
    """Something that was made, in every format that it can have; a file is made when it is first asked for.

    Attributes
    ----------
    folder : where its files lie.
    title : what the visitor's file is called, without its suffix: the name of downloads.
    tab : the browser's tab that it was made in.
    makers : by suffix, functions that make the file.
    """

    folder: Path
    title: str
    tab: str
    makers: Mapping[str, Maker]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def file(self, suffix: str, progress: Progress = lambda fraction: None) -> Path:
        """Return the file, made now if it is not there. Raises UsageError if there is no such format."""
        if suffix not in self.makers:
            raise UsageError(f"there is no {suffix or 'file'} of this; there are {' '.join(self.makers)}")
        path = self.folder / f"result{suffix}"
        with self.lock:
            if not path.exists():
                self.makers[suffix](path, progress)
        return path


@dataclass
class Visitor:
    """One browser: its open tabs, the files it has sent, and the results made for it."""

    folder: Path
    tabs: set[str] = field(default_factory=set)
    uploads: set[Path] = field(default_factory=set)
    results: dict[str, ResultFiles] = field(default_factory=dict)

    def keep(self, title: str, tab: str, makers: Mapping[str, Maker]) -> tuple[str, ResultFiles]:
        """Make room for a result, and return the name that its address has."""
        while len(self.results) >= KEPT:
            self.drop(next(iter(self.results)))
        name = secrets.token_urlsafe(24)
        folder = self.folder / name
        folder.mkdir(parents=True)
        result = ResultFiles(folder, title, tab, makers)
        self.results[name] = result
        return name, result

    def drop(self, name: str) -> None:
        """Forget a result, and remove its files."""
        shutil.rmtree(self.results.pop(name).folder, ignore_errors=True)


class Visitors:
    """All visitors of a studio, and the folder that holds all of its files.

    `root` is removed with everything in it when the studio ends; use it in a `with` statement by `Visitors.opened()`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.examples = root / "examples"
        self.results = root / "results"
        self._known: dict[str, Visitor] = {}
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def opened(cls) -> "Iterator[Visitors]":
        """Give the visitors a folder for as long as the studio is open."""
        with TemporaryDirectory(prefix="ictus-studio-", ignore_cleanup_errors=True) as root:
            yield cls(Path(root).resolve())

    def of(self, cookie: str) -> Visitor:
        """Return the visitor who has this cookie."""
        with self._lock:
            if cookie not in self._known:
                self._known[cookie] = Visitor(self.results / secrets.token_urlsafe(24))
            return self._known[cookie]

    def may_read(self, cookie: str, path: str) -> bool:
        """Whether a file is the visitor's own upload, or an example, which is everybody's."""
        try:
            file = Path(path).resolve()
        except (OSError, ValueError):
            return False
        return file.parent == self.examples or file in self.of(cookie).uploads

    def enter(self, cookie: str, tab: str) -> None:
        """Note that a tab is open."""
        self.of(cookie).tabs.add(tab)

    def leave(self, cookie: str, tab: str) -> None:
        """Remove what was made in a tab that has been closed; with a visitor's last tab, all that is theirs."""
        visitor = self.of(cookie)
        visitor.tabs.discard(tab)
        for name in [name for name, result in visitor.results.items() if result.tab == tab]:
            visitor.drop(name)
        if not visitor.tabs:
            with self._lock:
                self._known.pop(cookie, None)
                others = {file for other in self._known.values() for file in other.uploads}
            for file in visitor.uploads - others:  # two may have sent the same file
                file.unlink(missing_ok=True)
            shutil.rmtree(visitor.folder, ignore_errors=True)
        for file in self.root.glob("tmp*"):  # what Gradio leaves of uploads that broke off
            with suppress(OSError):
                if file.stat().st_mtime < time.time() - _STALLED:
                    file.unlink()

    def sweep(self, seconds: float = SECONDS) -> None:
        """Remove every file that is older, whoever's it is: of browsers that went without a word."""
        oldest = time.time() - seconds
        for path in sorted(self.root.rglob("*"), reverse=True):  # what is in a folder before the folder
            try:
                if path.is_file() and path.stat().st_mtime < oldest:
                    path.unlink()
                elif path.is_dir() and not any(path.iterdir()) and path.stat().st_mtime < oldest:
                    path.rmdir()
            except OSError:  # gone meanwhile
                continue
        with self._lock:
            for visitor in self._known.values():
                visitor.uploads = {file for file in visitor.uploads if file.exists()}
