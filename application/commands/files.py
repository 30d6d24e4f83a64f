"""Files of lines, by name; `-` is standard input or output."""

import gzip
import io
import os
import sys
import tempfile
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
    """A file that only its owner may read, and that is there once it is whole.

    A pipe or a device is written to as it is. Raises OperatorError.
    """
    path = Path(name)
    try:
        if name == "-":
            with open(sys.stdout.fileno(), "wb", closefd=False) as file:
                yield file
        elif path.exists() and not path.is_file():
            with path.open("wb") as file:
                yield file
        else:
            with _becoming(path) as file:
                yield file
    except OSError as error:
        place = "standard output" if name == "-" else name
        raise OperatorError(f"Cannot write {place}: {error.strerror or error}.") from error


@contextmanager
def _becoming(path: Path) -> Iterator[BinaryIO]:
    descriptor, part = tempfile.mkstemp(".part", f"{path.name}.", path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if path.suffix == ".gz":
                with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as packed:
                    yield cast(BinaryIO, packed)
            else:
                yield file
            file.flush()
            os.fsync(descriptor)
        os.replace(part, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(part)
        raise


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
        number = 0
        try:
            is_packed = buffered.peek(2).startswith(_GZIP)
            source = gzip.GzipFile(fileobj=buffered) if is_packed else buffered
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
        file = open(name, "rb", buffering=0)  # noqa: SIM115
    except OSError as error:
        raise OperatorError(f"Cannot read {name}: {error.strerror}.") from error
    with file:
        yield Source(name, file.fileno())
