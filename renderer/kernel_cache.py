"""Compiled kernels that no longer fit the source are thrown away.

Numba keeps compiled functions beside their module and compiles anew when that module changes. It does not notice a
change in *another* module whose compiled functions or constants went into the kernel: after an update of the source the
old code would run, and give wrong pictures without a word. So all kernels are forgotten when any file with kernels has
changed.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

__all__ = ["forget_stale_kernels"]

_PACKAGE = Path(__file__).resolve().parent
_STAMP = "kernels-"
_MARKS = (b"njit", b"kernel", b"NamedTuple", b"IntEnum")
"""Words of the files whose contents go into kernels."""


def forget_stale_kernels(package: Path = _PACKAGE) -> bool:
    """Deletes compiled kernels of another state of the source; call before the first kernel is loaded.

    Args:
        package: folder whose modules hold kernels.

    Returns:
        whether there was another state. A folder that cannot be written to is left as it is: it holds an installed
        package, whose files all changed together.
    """
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        source = path.read_bytes()
        if any(mark in source for mark in _MARKS):
            digest.update(str(path.relative_to(package)).encode() + b"\0" + source)
    stamp = package / "__pycache__" / f"{_STAMP}{digest.hexdigest()[:16]}"
    if stamp.exists():
        return False
    with contextlib.suppress(OSError):
        for pattern in ("*.nbi", "*.nbc", f"{_STAMP}*"):
            for path in package.rglob(pattern):
                path.unlink(missing_ok=True)
        stamp.parent.mkdir(exist_ok=True)
        stamp.touch()
    return True
