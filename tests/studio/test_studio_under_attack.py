"""The studio attacked: by names that are made to point at it, forged cookies, too many files, jobs and visitors."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio", reason='needs Gradio (pip install "ictus[studio]")')

from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ictus.studio import visitors as house
from ictus.studio.app import studio
from ictus.studio.guard import COOKIE, Guard
from ictus.studio.limits import Limits
from ictus.studio.visitors import RefusedError, Visitors

HERE = "http://127.0.0.1"
LIMITS = Limits(megabytes=1)
COSTLY = 7


@pytest.fixture(scope="module")
def app() -> Iterator[Any]:
    with studio(LIMITS) as found:
        yield found


@pytest.fixture
def visitors() -> Iterator[Visitors]:
    with Visitors.opened() as found:
        yield found


def guarded(visitors: Visitors, host: str = "127.0.0.1", address: str = HERE) -> TestClient:
    """A browser that has a cookie, before a studio that says yes to everything."""
    client = TestClient(Guard(PlainTextResponse("yes"), visitors, LIMITS, host, {COSTLY}), address)
    client.get("/")
    return client


def lain_down() -> set[Path]:
    return {path for path in Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*") if path.is_file()}


def send(client: TestClient, *contents: bytes) -> Any:
    return client.post("/gradio_api/upload", files=[("files", (f"{k}.wav", it)) for k, it in enumerate(contents)])


def ask(client: TestClient, function: Any = COSTLY, tab: Any = "t", **more: Any) -> Any:
    event = {"fn_index": function, "session_hash": tab, "data": []}
    return client.post("/gradio_api/queue/join", json=event | more)


@pytest.mark.parametrize(
    ("host", "names", "others"),
    [
        ("127.0.0.1", "127.0.0.1 localhost:80 [::1]:7860 LOCALHOST", "evil.org 127.0.0.1.evil.org 10.0.0.1 localhost."),
        ("studio.lan", "studio.lan:80 localhost", "evil.org x@localhost localhost:80:80 [localhost]"),
        ("0.0.0.0", "192.168.1.4:7860 [fe80::1] 127.0.0.1", "evil.org 192.168.1.4.evil.org"),
    ],
)  # fmt: skip
def test_it_answers_only_under_its_own_names(visitors: Visitors, host: str, names: str, others: str) -> None:
    client = guarded(visitors, host)
    for path in ("/", "/results/x/.bvh", "/gradio_api/heartbeat/t", "/gradio_api/queue/data?session_hash=t"):
        for name in names.split():
            assert client.get(path, headers={"host": name}).status_code == 200, name
        for name in [*others.split(), ""]:
            assert client.get(path, headers={"host": name}).status_code == 421, name
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass


def test_other_pages_cannot_act_for_a_visitor(visitors: Visitors) -> None:
    client = guarded(visitors)
    own, other = {"origin": HERE}, {"origin": "http://127.0.0.1.evil.org"}
    for headers in (other, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, own | {"sec-fetch-site": "same-site"}):
        assert client.post("/gradio_api/upload", headers=headers).status_code == 403
    for headers in (own, other | {"sec-fetch-site": "same-origin"}, {}):
        assert client.post("/gradio_api/upload", headers=headers).status_code == 200


def test_only_cookies_that_it_has_given_are_somebodys(app: Any) -> None:
    real = TestClient(app, HERE)
    assert real.get("/").status_code == 200
    before, given = lain_down(), real.cookies[COOKIE]
    for forged in ("a" * 43, "a" * 96, given[:-1], given[:-1] + ("0" if given[-1] != "0" else "1"), "é" * 48):
        thief = TestClient(app, HERE, headers={"cookie": f"{COOKIE}={forged}".encode()})
        answers = [
            send(thief, b"x"),
            ask(thief),
            thief.get("/gradio_api/heartbeat/t"),
            thief.get("/gradio_api/queue/data"),
        ]
        assert {answer.status_code for answer in answers} == {403}
        assert COOKIE in thief.get("/").cookies  # a good one instead
    assert lain_down() == before
    shadowed = {"cookie": f"{COOKIE}=00; a[]=b; {COOKIE}={given}"}  # by another program of this machine
    assert send(TestClient(app, HERE, headers=shadowed), b"x").status_code == 200


def test_nobody_fills_the_disk(app: Any) -> None:
    with TestClient(app, HERE) as one, TestClient(app, HERE) as other:
        for client in (one, other):
            client.get("/")
        most = 4 * (900 << 10), 4 << 20
        assert send(one, *(bytes([k]) * (900 << 10) for k in range(4))).status_code == 200
        before = lain_down()
        refused = send(one, bytes(800 << 10))
        assert refused.status_code == 413
        assert f"{LIMITS.visitor_megabytes} MB" in refused.text
        assert send(one, *[b"x"] * 5).status_code == 400  # at a time
        assert one.post("/gradio_api/upload", files=[("files", (None, b"a field"))]).status_code == 400
        assert lain_down() == before
        assert most[0] <= sum(file.stat().st_size for file in before) <= most[1]
        assert send(other, b"x").status_code == 200
        assert send(one, b"y").status_code == 200  # what was refused is not counted


def test_nothing_stays_of_what_broke_off(app: Any) -> None:
    client = TestClient(app, HERE)
    client.get("/")
    before = lain_down()
    start = b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.wav"\r\n\r\n' + bytes(1 << 16)
    messages = iter([{"type": "http.request", "body": start, "more_body": True}, {"type": "http.disconnect"}])
    headers = {"host": "127.0.0.1", "cookie": f"{COOKIE}={client.cookies[COOKIE]}"}
    headers |= {"content-type": "multipart/form-data; boundary=x"}
    scope = {"type": "http", "method": "POST", "path": "/gradio_api/upload", "query_string": b"", "root_path": ""}
    scope |= {"headers": [(name.encode(), text.encode()) for name, text in headers.items()]}

    async def receive() -> Any:
        return next(messages)

    async def answer(message: Any) -> None:
        pass

    asyncio.run(app(scope, receive, answer))
    assert lain_down() == before


def test_a_visitor_has_one_job(visitors: Visitors) -> None:
    one, other = guarded(visitors), guarded(visitors)
    assert ask(one).status_code == ask(one, function=1).status_code == 200
    refused = ask(one, tab="u")
    assert refused.status_code == 429
    assert "One at a time" in refused.json()["detail"]
    assert ask(other, tab="v").status_code == 200
    visitor = visitors.of(one.cookies[COOKIE])
    with visitor.working("t"):
        assert ask(one).status_code == 429
    assert ask(one).status_code == 200
    for odd in ({"function": "7"}, {"function": 7.0}, {"tab": None}, {"tab": ["t"]}):  # which Gradio would understand
        assert ask(one, **odd).status_code == 400


def test_a_job_that_nobody_waits_for_is_dropped(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "PATIENCE", 0)
    visitor = visitors.of("a")
    visitors.enter("a", "t")
    visitor.begin("t")
    with visitor.working("t"):
        visitor.go_on()
        visitors.leave("a", "t")
        with pytest.raises(RefusedError, match="nobody waits"):
            visitor.go_on()
    visitor.begin("t")
    with pytest.raises(RefusedError, match="nobody waits"), visitor.working("t"):
        pass
    visitor.begin("u")  # in the place of one that will never come


def test_the_pages_of_others_are_closed(visitors: Visitors) -> None:
    one = guarded(visitors)
    visitors.enter("another", "t")
    for path in ("heartbeat/t", "queue/data?session_hash=t", "queue/data?session_hash=x&session_hash=t"):
        assert one.get(f"/gradio_api/{path}").status_code == 403
    assert ask(one).status_code == 403
    assert ask(one, tab="u").status_code == 200


def test_visitors_are_counted(visitors: Visitors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "MOST", 3)
    for number in range(9):
        guarded(visitors)  # who only looks is nobody
        assert visitors.find(str(number)) is None
    first, second = visitors.of("1"), visitors.of("2")
    visitors.enter("3", "t")
    folder = first.keep("song", "t", {})[1].folder
    visitors.of("4")
    assert visitors.find("1") is None
    assert not folder.exists()
    second.begin("t")
    visitors.enter("4", "t")
    with pytest.raises(RefusedError, match="full"):
        visitors.of("5")
    for tab in range(house.TABS - 1):
        visitors.enter("4", str(tab))
    with pytest.raises(RefusedError, match="pages are open"):
        visitors.enter("4", "one more")
