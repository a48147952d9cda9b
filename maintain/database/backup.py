"""A copy of the embedded database while it is in use, whole or not there at all.

SQLite's own backup reads one consistent state, which copying the file and its write-ahead log
beside it would not.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from maintain.errors import DamagedError, WorkspaceError

#: A copy holds what the database holds, so nobody else may read it.
PRIVATE_MODE = 0o600


def back_up(path: Path, copy: Path) -> None:
    """Copy a database to a new file, readable by its owner alone, and check that the copy is sound.

    Raises `WorkspaceError` when it cannot be written, `DamagedError` when what was copied is damaged.
    """
    partial = copy.with_name(f"{copy.name}.partial")
    try:
        partial.unlink(missing_ok=True)
        os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_MODE))
        _copy(path, partial)
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        if copy.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        partial.rename(copy)
    except (OSError, sqlite3.OperationalError) as error:
        why = error.strerror if isinstance(error, OSError) else "the disk refused it"
        raise WorkspaceError(
            f"No backup of the database could be written ({why}); nothing was changed.",
            remedy="Give the workspace folder room and this user the right to write it.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise _damaged() from error
    finally:
        partial.unlink(missing_ok=True)


# --- private ---------------------------------------------------------------------------------------


def _copy(path: Path, partial: Path) -> None:
    readable = f"file:{quote(str(path))}?mode=ro"
    with closing(sqlite3.connect(readable, uri=True)) as source, closing(sqlite3.connect(partial)) as target:
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")
        if target.execute("PRAGMA integrity_check(1)").fetchall() != [("ok",)]:
            raise _damaged()


def _damaged() -> DamagedError:
    return DamagedError(
        "The workspace database is damaged, so a copy of it is worth nothing; nothing was changed.",
        remedy="Restore it from an earlier backup.",
    )
