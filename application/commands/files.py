"""Files of lines, by name; `-` is standard input or output."""

import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from services.archive.lines import ArchiveError
from services.errors import OperatorError

_LONGEST_LINE = 64 * 1024 * 1024
_BUFFER_BYTES = 256 * 1024
_GZIP = b"\x1f\x8b"


@contextmanager
def writing(name: str) -> Iterator[BinaryIO]:
    """A file that only its owner may read, and that is there once it is whole."""
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    part = path.with_name(f"{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                if path.suffix == ".gz":
                    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                        yield cast(BinaryIO, packed)
                else:
                    yield file
                file.flush()
                os.fsync(descriptor)
            part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        raise OperatorError(f"Cannot write {name}: {error.strerror or error}.") from error


class Source:
    """Lines, packed or not, and how far they were read."""

    def __init__(self, name: str, descriptor: int) -> None:
        self.size = os.fstat(descriptor).st_size
        """Bytes; 0 when nobody knows."""
        self._name = name
        self._raw = _Counted(descriptor)

    @property
    def position(self) -> int:
        return self._raw.count

    def lines(self) -> Iterator[bytes]:
        buffered = io.BufferedReader(self._raw, _BUFFER_BYTES)  # type: ignore[type-var]
        is_packed = buffered.peek(2).startswith(_GZIP)
        source = gzip.GzipFile(fileobj=buffered) if is_packed else buffered
        number = 0
        try:
            while line := source.readline(_LONGEST_LINE):
                number += 1
                if len(line) == _LONGEST_LINE:
                    raise ArchiveError(f"Line {number} cannot be used: it is too long.")
                yield line
        except (OSError, EOFError, zlib.error) as error:
            raise ArchiveError(f"{self._name} is damaged after line {number}: {error}.") from error


class _Counted(io.RawIOBase):
    def __init__(self, descriptor: int) -> None:
        self.count = 0
        self._descriptor = descriptor

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = os.read(self._descriptor, len(buffer))
        buffer[: len(data)] = data
        self.count += len(data)
        return len(data)


@contextmanager
def reading(name: str) -> Iterator[Source]:
    if name == "-":
        yield Source("Standard input", sys.stdin.fileno())
        return
    try:
        descriptor = os.open(name, os.O_RDONLY)
    except OSError as error:
        raise OperatorError(f"Cannot read {name}: {error.strerror}.") from error
    try:
        yield Source(name, descriptor)
    finally:
        os.close(descriptor)
