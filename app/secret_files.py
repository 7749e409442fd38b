"""Secrets that this installation made for itself: one file each in `<data>/secrets`, readable by their owner only.

Several processes may start at once on the same directory. Each writes its proposal to a file of its own and links it
to the name: the first link stands, all others read what it holds. So a secret appears whole, and never changes.
"""

import os
from pathlib import Path
from secrets import token_hex, token_urlsafe


def kept(directory: Path, name: str) -> str | None:
    """The secret that was made earlier, or None. Raises OSError or ValueError where the file cannot be read."""
    path = directory / "secrets" / name
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    if not text:
        raise ValueError(f"{path} is empty")
    return text


def kept_or_made(directory: Path, name: str) -> str:
    """The secret of this name, made now if there is none. Raises OSError or ValueError as `kept` does."""
    if kept(directory, name) is None:
        _make(directory / "secrets", name)
    secret = kept(directory, name)
    assert secret is not None, "a secret that was linked is never taken away"
    return secret


def _make(folder: Path, name: str) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    proposal = folder / f".{name}.{token_hex(8)}"
    _write(proposal, token_urlsafe(32))
    try:
        os.link(proposal, folder / name)
    except FileExistsError:
        pass
    finally:
        proposal.unlink()
    _sync(folder)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="ascii") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """A secret that is in use must survive a power cut, or every stored key would lose its meaning."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
