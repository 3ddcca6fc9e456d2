"""Text and JSON within bounds."""

from pathlib import Path

import pytest

from ictus import limits
from ictus.documents import parse_json, read_json, read_table, read_text
from ictus.errors import IctusError, ModelError
from ictus.files import quoted, short


def test_text_and_json_come_back(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b'\xef\xbb\xbf{"a": ["\xc3\xa9", 1e3, null]}')
    assert read_text(tmp_path / "x") == '{"a": ["é", 1e3, null]}'
    assert read_json(tmp_path / "x") == {"a": ["é", 1000.0, None]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe{\0}\0", "is no text in UTF-8"),
        (b"[1,\n2", r"is no valid JSON \(line 2: "),
        (b"[" * 100_000, r"is no valid JSON \(nested too deep\)"),
        (b"[NaN]", "NaN is not JSON"),
        (b"[-Infinity]", "-Infinity is not JSON"),
        (b"9" * 5000, "is no valid JSON"),
        (b"[" + b"{}," * 300 + b"0]", "too many values"),
    ],
)
def test_what_is_none_is_refused(tmp_path: Path, content: bytes, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMORY", 10_000_000 if len(content) > 1000 else 20_000)
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ModelError, match=rf"^{tmp_path / 'x'}: .*{says}"):
        read_json(tmp_path / "x", ModelError)


def test_tables(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('a,b\n1,"2\n3"\n4\n5,6,7\n', "utf-8-sig")
    assert read_table(tmp_path / "x", "a") == [{"a": "1", "b": "2\n3"}, {"a": "4", "b": ""}, {"a": "5", "b": "6"}]
    with pytest.raises(ModelError, match=r"x: has no column 'c'; it needs b, c"):
        read_table(tmp_path / "x", "b", "c", kind=ModelError)
    (tmp_path / "x").write_text("a\n" + "x" * 200_000)
    with pytest.raises(ModelError, match=r"x: damaged \(field larger"):
        read_table(tmp_path / "x", "a", kind=ModelError)


def test_too_long_a_text_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMORY", 10)
    (tmp_path / "x").write_text("x" * 11)
    with pytest.raises(IctusError, match="is larger than"):
        read_text(tmp_path / "x")


def test_what_json_would_hold_is_counted_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MEMORY", 100_000)
    assert len(parse_json("[" + "0.5," * 1000 + "1]")) == 1001
    with pytest.raises(IctusError, match="too many values"):
        parse_json("[" + "[]," * 2000 + "1]")


def test_nothing_from_a_file_makes_a_message_long() -> None:
    nest: list = []
    for _ in range(60):
        nest = [nest, nest]  # a message that wrote it out would never end
    for value in (nest, {"a": nest}, 10**5000, "x" * 10_000, [0] * 10_000, "\x1b[31m\n", "\ud800"):
        for shown in (short(value), quoted(value)):
            assert shown.isprintable()
            assert len(shown) <= limits.TEXT
    assert quoted("it's") == '"it\'s"'
    assert (short(3.5), quoted((3, "a")), short(None)) == ("3.5", "(3, 'a')", "None")
