"""Archives: arrays by name in one ``.npz`` file, without pickle, that is either old or new."""

from __future__ import annotations

import contextlib
import itertools
import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

Array = np.ndarray[Any, Any]
PathLike = str | os.PathLike[str]

_count = itertools.count()


class CheckpointError(ValueError):
    """A checkpoint can't be written, read or used; the message is one line and says what to do.

    Examples
    --------
    >>> from micrograd_nn import load
    >>> load("nowhere.npz")
    Traceback (most recent call last):
    ...
    micrograd_nn.training.archive.CheckpointError: nowhere.npz: ...
    """

    @classmethod
    def at(cls, path: PathLike, problem: str) -> CheckpointError:
        """Make the error of a problem with a file.

        Examples
        --------
        >>> CheckpointError.at("run.npz", "it is empty")
        CheckpointError('run.npz: it is empty')
        """
        return cls(" ".join(f"{os.fspath(path)}: {problem}".split()))


def write_archive(path: PathLike, arrays: Mapping[str, Array]) -> None:
    """Write arrays to a file that ``numpy.load`` can read, whole or not at all.

    They are written to a new file in the same folder, which takes the place of the old one when
    it lies safely on the disk. Whatever happens, even a loss of power, the path holds either the
    old or the new archive. Equal arrays make equal files.

    Raises
    ------
    CheckpointError
        If the file can't be written; what was there before is as it was.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{next(_count)}.tmp")
    try:
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            with os.fdopen(os.open(temporary, flags, 0o666), "wb") as file:
                _write(file, arrays)
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileNotFoundError):
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            os.replace(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    except OSError as error:
        if not target.parent.is_dir():
            problem = f"there is no folder {str(target.parent)!r}: make it first"
        elif target.is_dir():
            problem = "this is a folder: give the name of a file in it"
        else:
            what = error.strerror or error
            problem = f"it can't be written: {what}; what was there before is as it was"
        raise CheckpointError.at(path, problem) from error
    _sync_folder(target.parent)


def remove_leftovers(path: PathLike) -> None:
    """Remove the unfinished files that writers of ``path`` left when they were killed."""
    target = Path(os.path.realpath(path))
    start, end = f".{target.name}.", ".tmp"
    with contextlib.suppress(OSError):
        for name in os.listdir(target.parent):
            middle = name[len(start) : -len(end)]
            if name.startswith(start) and name.endswith(end) and middle.replace("-", "").isdigit():
                (target.parent / name).unlink()


def read_archive(path: PathLike) -> dict[str, Array]:
    """Read all arrays of a file; every byte of them is checked against the file's checksums.

    Raises
    ------
    CheckpointError
        If there is no such file, or it isn't an archive of arrays, or is damaged.
    """
    name = Path(path)
    if not name.exists():
        raise CheckpointError.at(path, "there is no such file")
    if name.is_dir():
        raise CheckpointError.at(path, "this is a folder, not a checkpoint")
    try:
        if not zipfile.is_zipfile(name):
            problem = "it is no .npz archive, or was cut off: give another file, or save it anew"
            raise CheckpointError.at(path, problem)
        return _read(name)
    except CheckpointError:
        raise
    except PermissionError as error:
        raise CheckpointError.at(path, f"it can't be read: {error.strerror}") from error
    except Exception as error:  # zipfile and NumPy fail in many ways on damaged files
        problem = f"it is damaged, or no archive of plain arrays ({error}): use a copy of it"
        raise CheckpointError.at(path, problem) from error


def _write(file: IO[bytes], arrays: Mapping[str, Array]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            # Without a date: equal content makes equal files.
            member = zipfile.ZipInfo(f"{name}.npy")
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)


def _read(name: Path) -> dict[str, Array]:
    arrays = {}
    with name.open("rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.namelist():
            with archive.open(member) as stream:
                array = np.lib.format.read_array(stream, allow_pickle=False)
                stream.read()  # the checksum is compared at the end
            arrays[member.removesuffix(".npy")] = array
    return arrays


def _sync_folder(folder: Path) -> None:
    """Have the new name of the file written to the disk, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
