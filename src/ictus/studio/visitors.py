"""Who uses the studio, and what is theirs: folders that nobody else can read, gone when they are.

A visitor is a browser, known by a cookie that only this studio can have handed out. Everything of theirs lies in a
folder with a random name, under names that the studio gives; what they call their files is only ever shown to them.
"""

import hmac
import os
import secrets
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from ictus.errors import UsageError
from ictus.files import remove_leftovers, unfinished
from ictus.types import Progress

Maker = Callable[[Path, Progress], None]

KEPT = 4  # results of a visitor; older ones make room
SECONDS = 3600.0  # that files live at most
MOST = 200  # visitors at a time; whoever has no page open makes room, the longest idle first
TABS = 20  # open pages of a visitor
HANDS = 6  # downloads of a visitor that are made at a time
PATIENCE = 5.0  # seconds that a job goes on though nobody waits for it: connections come and go
_STALLED = 60.0  # seconds after which an upload has broken off that is not written to any more


class RefusedError(UsageError):
    """Somebody asks for more than they may have, or for what is not theirs; `status` is what the browser is told."""

    def __init__(self, message: str, status: int = 429) -> None:
        super().__init__(message)
        self.status = status


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
        if path.exists():  # at once, though another may be in the making
            return path
        with self.lock:
            if not path.exists():
                self.makers[suffix](path, progress)
        return path


@dataclass
class Job:
    """Work that waits or runs for a tab of the browser.

    Attributes
    ----------
    since : when somebody was last known to wait for it; of `time.monotonic`.
    """

    tab: str
    running: bool = False
    since: float = field(default_factory=time.monotonic)


@dataclass
class Visitor:
    """One browser: its open tabs, the files it has sent, the results made for it, and the one job it may have.

    Attributes
    ----------
    tabs : by tab, the connections that tell that it is open.
    streams : by tab, the connections that wait for news of its jobs.
    sending : bytes that are on their way.
    hands : how many of their downloads are made at a time.
    seen : when they were last here; of `time.monotonic`.
    """

    folder: Path
    tabs: Counter[str] = field(default_factory=Counter)
    streams: Counter[str] = field(default_factory=Counter)
    uploads: set[Path] = field(default_factory=set)
    sending: int = 0
    hands: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(HANDS))
    results: dict[str, ResultFiles] = field(default_factory=dict)
    job: Job | None = None
    seen: float = field(default_factory=time.monotonic)

    def keep(self, title: str, tab: str, makers: Mapping[str, Maker]) -> tuple[str, ResultFiles]:
        """Make room for a result, and return the name that its address has."""
        while len(self.results) >= KEPT:
            self.drop(next(iter(self.results)))
        name = secrets.token_urlsafe(24)
        folder = self.folder / name
        self.folder.mkdir(exist_ok=True)  # and none above it: the studio may have closed
        folder.mkdir()
        result = ResultFiles(folder, title, tab, makers)
        self.results[name] = result
        return name, result

    def drop(self, name: str) -> None:
        """Forget a result, and remove its files."""
        shutil.rmtree(self.results.pop(name).folder, ignore_errors=True)

    def held(self) -> int:
        """Return the bytes of all that they have sent, and are sending."""
        size = self.sending
        for file in self.uploads:
            with suppress(OSError):
                size += file.stat().st_size
        return size

    def begin(self, tab: str) -> None:
        """Let a job wait for its turn. Raises RefusedError if there is another one, for which somebody waits."""
        if self.busy():
            raise RefusedError("One at a time: what you asked for before is not finished yet.")
        self.job = Job(tab)

    def forget_waiting(self, tab: str) -> None:
        """Forget the job of a tab, unless it runs."""
        if self.job and self.job.tab == tab and not self.job.running:
            self.job = None

    def busy(self) -> bool:
        """Whether a job runs, or has its turn to come."""
        return self.job is not None and (self.job.running or self.awaits(self.job))

    def awaits(self, job: Job) -> bool:
        """Whether somebody waits for a job; for a while after it was asked for, that is taken for granted."""
        if job.tab in self.tabs or job.tab in self.streams:
            job.since = time.monotonic()
            return True
        return time.monotonic() - job.since < PATIENCE

    @contextmanager
    def working(self, tab: str) -> Iterator[None]:
        """Run the job of a tab. Raises RefusedError if nobody waits for it any more."""
        self.job = self.job if self.job and self.job.tab == tab else Job(tab)
        self.go_on()
        self.job.running = True
        try:
            yield
        finally:
            self.job = None

    def go_on(self) -> None:
        """Raise RefusedError if nobody waits for the job any more."""
        if self.job is None or not self.awaits(self.job):
            raise RefusedError("nobody waits for this any more")


class Visitors:
    """All visitors of a studio, and the folder that holds all of its files.

    `root` is removed with everything in it when the studio ends; use it in a `with` statement by `Visitors.opened()`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.examples = root / "examples"
        self.results = root / "results"
        self._key = secrets.token_bytes(32)
        self._known: dict[str, Visitor] = {}
        self._lock = threading.Lock()

    @classmethod
    @contextmanager
    def opened(cls) -> "Iterator[Visitors]":
        """Give the visitors a folder for as long as the studio is open."""
        remove_leftovers(Path(gettempdir()), os.getpid())
        with TemporaryDirectory(prefix=f"{unfinished()}-", ignore_cleanup_errors=True) as root:
            found = cls(Path(root).resolve())
            found.results.mkdir()
            yield found

    def issue(self) -> str:
        """Return a new cookie; nothing is kept for it before its visitor does something."""
        name = secrets.token_hex(16)
        return name + self._signature(name)

    def issued(self, cookie: str) -> bool:
        """Whether a cookie is one that this studio has handed out."""
        return cookie.isascii() and hmac.compare_digest(cookie[32:], self._signature(cookie[:32]))

    def _signature(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), "sha256").hexdigest()

    def of(self, cookie: str) -> Visitor:
        """Return the visitor who has this cookie, who is here now. Raises RefusedError if the studio is full."""
        with self._lock:
            if cookie not in self._known:
                self._make_room()
                self._known[cookie] = Visitor(self.results / secrets.token_urlsafe(24))
            visitor = self._known[cookie]
            visitor.seen = time.monotonic()
            return visitor

    def find(self, cookie: str) -> Visitor | None:
        """Return the visitor who has this cookie, if they have done anything yet."""
        return self._known.get(cookie)

    def may_read(self, cookie: str, path: str) -> bool:
        """Whether a file is the visitor's own upload, or an example, which is everybody's."""
        try:
            file = Path(path).resolve()
        except (OSError, ValueError):
            return False
        visitor = self.find(cookie)
        return file.parent == self.examples or (visitor is not None and file in visitor.uploads)

    def check_tab(self, cookie: str, tab: str) -> None:
        """Raise RefusedError if a tab is open in another browser."""
        if any(tab in other.tabs for name, other in list(self._known.items()) if name != cookie):
            raise RefusedError("This page is open in another browser.", 403)

    def enter(self, cookie: str, tab: str) -> None:
        """Note that a tab is open. Raises RefusedError if there are too many."""
        visitor = self.of(cookie)
        if tab not in visitor.tabs and len(visitor.tabs) >= TABS:
            raise RefusedError(f"More than {TABS} of your pages are open; close some of them.")
        visitor.tabs[tab] += 1

    def leave(self, cookie: str, tab: str) -> None:
        """Remove what was made in a tab that has been closed; with a visitor's last tab, all that is theirs."""
        visitor = self.find(cookie)
        if visitor is None:
            return
        visitor.tabs -= Counter([tab])
        if tab not in visitor.tabs:
            for name in [name for name, result in visitor.results.items() if result.tab == tab]:
                visitor.drop(name)
        if not visitor.tabs:
            with self._lock:
                self._forget(cookie)
        for file in self.root.glob("tmp*"):  # what Gradio leaves of uploads that broke off
            with suppress(OSError):
                if file.stat().st_mtime < time.time() - _STALLED:
                    file.unlink()

    def _forget(self, cookie: str) -> None:
        """Remove a visitor and all that is theirs."""
        visitor = self._known.pop(cookie, None)
        if visitor is None:
            return
        others = {file for other in self._known.values() for file in other.uploads}
        for file in visitor.uploads - others:  # two may have sent the same file
            file.unlink(missing_ok=True)
        shutil.rmtree(visitor.folder, ignore_errors=True)

    def _make_room(self) -> None:
        """Let the longest idle go who has no page open, if there are too many. Raises RefusedError if there is none."""
        if len(self._known) < MOST:
            return
        idle = [name for name, one in self._known.items() if not (one.tabs or one.sending or one.busy())]
        if not idle:
            raise RefusedError("The studio is full; come again in a few minutes.", 503)
        self._forget(min(idle, key=lambda name: self._known[name].seen))

    def sweep(self, seconds: float = SECONDS) -> None:
        """Remove every file that is older, whoever's it is: of browsers that went without a word."""
        oldest = time.time() - seconds
        for path in sorted(self.root.rglob("*"), reverse=True):  # what is in a folder before the folder
            try:
                if path.stat().st_mtime >= oldest or path == self.results:
                    continue
                if path.is_file():
                    path.unlink()
                elif not any(path.iterdir()):
                    path.rmdir()
            except OSError:  # gone meanwhile
                continue
        with self._lock:
            for visitor in self._known.values():
                visitor.uploads = {file for file in visitor.uploads if file.exists()}
