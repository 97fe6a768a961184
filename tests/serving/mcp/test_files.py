"""Files that a client on this machine may name: those in the folders that are open, no others."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest

from deixis.errors import InputError
from deixis.serving.mcp import files as module
from deixis.serving.mcp.files import Files
from deixis.serving.orders import Encoded


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """An open folder, a closed one beside it, and ways from the one to the other."""
    opened, closed = tmp_path / "open", tmp_path / "open-not"
    (opened / "in").mkdir(parents=True)
    closed.mkdir()
    (opened / "a b.txt").write_bytes(b"one")
    (opened / "in" / "two").write_bytes(b"two")
    (closed / "secret").write_bytes(b"secret")
    (opened / "inner").symlink_to(opened / "in")
    (opened / "way-out").symlink_to(closed)
    (opened / "leak").symlink_to(closed / "secret")
    (opened / "circle").symlink_to(opened / "circle")
    os.mkfifo(opened / "pipe")
    return tmp_path


def test_files_of_open_folders_are_read(place: Path) -> None:
    files = Files([place / "open"], 100)
    for path in ("a b.txt", "./in/../a b.txt", str(place / "open" / "a b.txt")):
        assert files.read(path) == b"one"
    assert files.read(f"file://{place}/open/a%20b.txt") == b"one"
    assert files.read("in/two") == files.read("inner/two") == b"two"
    both = Files([place / "open", place / "open-not"], 100)
    assert both.read("secret") == both.read("leak") == b"secret"


@pytest.mark.parametrize(
    "path",
    [
        *("../open-not/secret", "leak", "way-out/secret", "/etc/passwd", "file:///etc/passwd"),
        *("file://{place}/open/%2e%2e/open-not/secret", "{place}/open-not/secret"),
        *("{place}/open-not/absent", "~/.ssh/id_rsa/../../../../../../etc/passwd"),
    ],
)
def test_others_are_refused_whether_they_are_there_or_not(place: Path, path: str) -> None:
    with pytest.raises(InputError, match="is in none of the folders that are open"):
        Files([place / "open"], 100).read(path.format(place=place))
    with pytest.raises(InputError, match="is in none of the folders"):
        Files([place / "open"], 100).read(f"{place}/open-not/secret")


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("absent", "no such file"),
        ("in", "cannot be read|no regular file"),
        ("pipe", "no regular file"),
        ("circle", "cannot be read|cannot be a path"),
        ("a\0b", "cannot be a path"),
        ("x" * 5000, "cannot be read|cannot be a path"),
        ("file://elsewhere/a", "other machines"),
        ("", "cannot be read|no regular file"),
    ],
)
def test_what_is_no_file_is_refused(place: Path, path: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        Files([place / "open"], 100).read(path)
    assert "\n" not in str(refused.value) and len(str(refused.value)) < 500


def test_a_file_may_not_be_too_large(place: Path) -> None:
    with pytest.raises(InputError, match="over 2 bytes"):
        Files([place / "open"], 2).read("a b.txt")


def test_a_link_that_is_put_in_the_way_is_not_followed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = module._open

    def late(folder: Path, inside: Path) -> Any:
        (folder / "in").rename(folder / "was-in")
        (folder / "in").symlink_to(place / "open-not")
        return opened(folder, inside)

    (place / "open-not" / "two").write_bytes(b"secret")
    monkeypatch.setattr(module, "_open", late)
    with pytest.raises(InputError, match="cannot be read"):
        Files([place / "open"], 100).read("in/two")


def test_only_folders_can_be_open(place: Path) -> None:
    for wrong in (place / "absent", place / "open" / "a b.txt"):
        with pytest.raises(InputError, match=r"--files: .* is no folder"):
            Files([wrong], 100)


def test_what_stands_for_media_is_opened_and_nothing_else(place: Path) -> None:
    files = Files([place / "open"], 100)
    url, data = "https://example.org/a.jpg", "data:image/png;base64,aGk="
    given = {"text": "in/two", "image": "in/two", "images": ["a b.txt", url, data, 5], "audio": url}
    made = files.opened(given)
    assert made["text"] == "in/two" and made["audio"] == url and given["image"] == "in/two"
    assert made["image"] == Encoded.of(b"two")
    assert made["images"] == [Encoded.of(b"one"), url, data, 5]


def test_a_socket_is_no_file(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place / "open")  # the name of a socket has to be short
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("s")
        with pytest.raises(InputError, match=r"cannot be read|no regular file"):
            Files([place / "open"], 100).read("s")
