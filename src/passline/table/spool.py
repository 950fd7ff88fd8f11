"""The bytes of a text file: UTF-8 without NUL, or else a temporary copy that is."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import os
import re
import stat
import sys
import tempfile
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from passline.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass
class TextFile:
    """A plain UTF-8 file: the user's own, or a temporary copy that goes when this object goes."""

    path: Path
    label: str
    digit_underscore: bool = False  # holds 1_000, which DuckDB would read as a thousand
    finalizer: weakref.finalize[[Path], TextFile] | None = None

    def close(self) -> None:
        """Remove the temporary copy, if there is one."""
        if self.finalizer is not None:
            self.finalizer()


def open_text(path: Path | None, label: str) -> TextFile:
    """Return the UTF-8 text of ``path``, or of standard input if that is None.

    Pipes, gzip and UTF-16 are copied to a temporary file. Raises SourceError for an empty file, a NUL and a byte
    that is not UTF-8, with the line.
    """
    text = _copied(path, label)
    try:
        _check(text)
    except BaseException:
        text.close()
        raise
    return text


def with_plain_line_ends(text: TextFile) -> TextFile:
    r"""Copy ``text`` with every \r\n and \r turned into \n: for files in which they are mixed."""

    def chunks() -> Iterator[bytes]:
        held = b""
        with text.path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                joined = held + chunk
                held = b"\r" if joined.endswith(b"\r") else b""
                yield joined[: len(joined) - len(held)].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield held.replace(b"\r", b"\n")

    copy = _spool(chunks(), text.label)
    copy.digit_underscore = text.digit_underscore
    return copy


def _copied(path: Path | None, label: str) -> TextFile:
    with contextlib.ExitStack() as stack:
        try:
            if path is None:
                stream: BinaryIO = sys.stdin.buffer
                regular = False
            else:
                stream = stack.enter_context(path.open("rb"))
                regular = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
            start = stream.read(2)
        except OSError as error:
            raise SourceError(f"{label} cannot be read: {error.strerror or error}.") from error
        if regular and path is not None and start != b"\x1f\x8b" and start not in _UTF16:
            return TextFile(path, label)
        return _spool(_plain(start, stream, label), label)


def _plain(start: bytes, stream: BinaryIO, label: str) -> Iterator[bytes]:
    """Chunks of ``start`` and the rest of ``stream``, without gzip, as UTF-8."""
    joined = cast("BinaryIO", _Joined(start, stream))
    if start == b"\x1f\x8b":
        joined = cast("BinaryIO", gzip.GzipFile(fileobj=joined))
    try:
        first = joined.read(CHUNK)
        decoder = codecs.getincrementaldecoder("utf-16")() if first[:2] in _UTF16 else None
        while first:
            yield decoder.decode(first).encode() if decoder else first
            first = joined.read(CHUNK)
        if decoder:
            yield decoder.decode(b"", final=True).encode()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SourceError(f"{label} is a damaged gzip file: {error}. Compress or fetch it again.") from error
    except UnicodeError as error:
        raise SourceError(f"{label} starts as UTF-16 and is not: {error}. Save it as UTF-8.") from error


class _Joined:
    """A stream with the bytes put back that were read to look at its start."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start, self._stream = start, stream

    def read(self, size: int = -1) -> bytes:
        if self._start:
            start, self._start = self._start, b""
            return start + self._stream.read(max(size - len(start), 0) if size >= 0 else -1)
        return self._stream.read(size)


def _spool(chunks: Iterator[bytes], label: str) -> TextFile:
    handle, name = tempfile.mkstemp(prefix="passline-", suffix=".csv")
    path = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            for chunk in chunks:
                file.write(chunk)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise SourceError(f"{label} cannot be copied to {path.parent}: {error.strerror or error}.") from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    text = TextFile(path, label)
    # Runs when the object goes and at the interpreter's end, so that no copy outlives the process.
    text.finalizer = weakref.finalize(text, _remove, path)
    return text


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _check(text: TextFile) -> None:
    buffer = bytearray(CHUNK)
    view = memoryview(buffer)
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = 0
    blank = True
    last = b""
    with text.path.open("rb", buffering=0) as stream:
        while size := stream.readinto(view):
            # The whole buffer is looked at in place: no copy of the file in Python.
            chunk = buffer if size == CHUNK else buffer[:size]
            if (nul := chunk.find(0)) >= 0:
                line = _line(text.path, offset + nul)
                raise SourceError(f"{text.label}, line {line}: a NUL byte. Save the file as text (UTF-8).")
            if not chunk.isascii() or decoder.getstate()[0]:
                _decode(decoder, chunk, offset, text)
            if blank:
                blank = not chunk.removeprefix(codecs.BOM_UTF8).strip()
            if not text.digit_underscore and (b"_" in chunk or last.endswith(b"_")):
                text.digit_underscore = _digit_underscore(last + chunk)
            last = bytes(chunk[-2:])
            offset += size
    _decode(decoder, b"", offset, text)
    if blank:
        raise SourceError(f"{text.label} is empty: {offset} bytes, and no header among them.")


def _decode(decoder: codecs.IncrementalDecoder, chunk: bytes | bytearray, offset: int, text: TextFile) -> None:
    pending = len(decoder.getstate()[0])
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError as error:
        line = _line(text.path, offset - pending + error.start)
        byte = error.object[error.start]
        raise SourceError(
            f"{text.label}, line {line}: the byte 0x{byte:02x} is not UTF-8. Save the file as UTF-8."
        ) from error


def _digit_underscore(chunk: bytes | bytearray) -> bool:
    # The pattern starts with a literal, so that the search runs at the speed of memory over text without one.
    return any(match.start() and chunk[match.start() - 1] in b"0123456789" for match in re.finditer(rb"_[0-9]", chunk))


def _line(path: Path, offset: int) -> int:
    line = 1
    with path.open("rb") as stream:
        while offset > 0 and (chunk := stream.read(min(CHUNK, offset))):
            line += chunk.count(b"\n")
            offset -= len(chunk)
    return line
