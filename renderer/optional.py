"""Packages that a user's Blender may lack, with what stands in for them: there only numpy is certain.

Without numba the loops run as plain Python, some hundred times slower; without OpenCV blur and resizing are numpy's.
"""

from __future__ import annotations

import ast
import functools
import importlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from .kernel_cache import fit_to_source, keep_apart, may_keep, turn_at

__all__ = ["ZERO", "cv2", "fast_kernel", "found_intrinsic", "inlined_kernel", "kernel", "njit", "read_toml"]

Function = TypeVar("Function", bound=Callable[..., Any])


def _plain(*functions: Callable[..., Any], **_options: Any) -> Any:
    """Stands in for ``numba.njit``: the function as it is."""
    return functions[0] if functions else lambda function: function


def _read_toml(text: str) -> dict[str, Any]:
    """The part of TOML that our own files use: tables, numbers, strings, booleans, lists and inline tables on one line.

    Raises:
        ValueError: a line that is none of these.
    """
    top: dict[str, Any] = {}
    table = top
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            table = top
            for name in line[1 : line.index("]")].split("."):
                table = table.setdefault(name.strip().strip('"'), {})
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            if not equals:
                raise ValueError(f"not a line of TOML: {line!r}")
            table[key.strip().strip('"')] = _value(value.strip())
    return top


def _value(text: str) -> Any:
    """One value, with a comment after it or none."""
    word = text.split("#")[0].strip()
    if word in ("true", "false"):
        return word == "true"
    if text.startswith("{"):  # an inline table is a dictionary with = for :
        text = re.sub(r'("[^"]*")|(\w+)\s*=', lambda found: found[1] or f'"{found[2]}":', text)
    try:
        return ast.literal_eval(text)  # Python's comments, numbers, strings and lists are written as TOML's
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"not a value of TOML: {text!r}") from error


class _NumpyCv2:
    """The few functions of OpenCV that the sensor uses."""

    BORDER_REPLICATE, INTER_LINEAR, INTER_CUBIC = 1, 1, 2

    @staticmethod
    def GaussianBlur(image: NDArray[Any], size: tuple[int, int], sigma: float, borderType: int) -> NDArray[Any]:
        """Separable Gaussian with replicated edges, (H, W) float32."""
        reach = size[0] // 2
        weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
        weights /= weights.sum()
        for axis in (0, 1):
            pad = [(reach, reach) if axis == one else (0, 0) for one in (0, 1)]
            wide, length = np.pad(image, pad, mode="edge"), image.shape[axis]
            image = sum(w * wide.take(np.arange(k, k + length), axis) for k, w in enumerate(weights))
        return image.astype(np.float32)

    @staticmethod
    def resize(image: NDArray[Any], size: tuple[int, int], interpolation: int) -> NDArray[Any]:
        """Linear interpolation between pixel centres, to ``(width, height)``."""
        for axis, count in ((0, size[1]), (1, size[0])):
            length = image.shape[axis]
            at = np.clip((np.arange(count) + 0.5) * length / count - 0.5, 0, length - 1)
            low = np.minimum(at.astype(int), max(length - 2, 0))
            share = (at - low)[:, None] if axis == 0 else at - low
            high = np.minimum(low + 1, length - 1)
            image = image.take(low, axis) * (1 - share) + image.take(high, axis) * share
        return image.astype(np.float32)


def _found(module: str, name: str | None, otherwise: Any) -> Any:
    """A package, or one function of it, or what stands in for it."""
    try:
        package = importlib.import_module(module)
    except ImportError:
        return otherwise
    return getattr(package, name) if name else package


@functools.cache
def _njit() -> Any:
    """``numba.njit``, or what stands in for it.

    Numba looks for ``.numba_config.yaml`` in the current folder at every compilation. It may name a folder of kernels,
    which are code, and the current folder holds anybody's files.
    """
    found: Any = _found("numba", "njit", _plain)
    config: Any = None if found is _plain else importlib.import_module("numba.core.config")
    if hasattr(config, "_config_fname") and hasattr(config, "reload_config"):
        vars(config)["_config_fname"] = os.devnull  # no regular file, so none is read
        config.reload_config()
    return found


def found_intrinsic() -> Any:
    """``numba.extending.intrinsic``; None without numba."""
    return None if _njit() is _plain else _found("numba.extending", "intrinsic", None)


def _loaded_quickly(compiled: Any) -> Any:
    """The kernel, which is loaded from the disk without what only a compilation needs, and compiled by one process.

    Before it reads a kept kernel numba gets ready to compile: it imports half of itself, and SciPy, 0.2 s of a process
    that may compile nothing. Kept code needs the runtime alone. A kernel that is not kept takes numba's own way once no
    other process compiles it, which may have kept it then; and so does every kernel of a numba that is built otherwise.
    """
    cache: Any = getattr(compiled, "_cache", None)
    read, guarded = getattr(cache, "_load_overload", None), getattr(cache, "_guard_against_spurious_io_errors", None)
    runtime = _found("numba.core.runtime", "rtsys", None)
    if read is None or guarded is None or not hasattr(runtime, "initialize"):
        return compiled
    otherwise, keep = cache.load_overload, cache.save_overload
    turns: list[Callable[[], None]] = []

    def load(signature: Any, target: Any) -> Any:
        runtime.initialize(target)
        with guarded():
            if (found := read(signature, target)) is not None:
                return found
        turns.append(turn_at(Path(cache.cache_path), f"{compiled.__module__}.{compiled.__qualname__} {signature}"))
        if (found := otherwise(signature, target)) is not None:
            turns.pop()()
        return found

    def save(signature: Any, result: Any) -> None:
        try:
            keep(signature, result)
        finally:
            while turns:  # also of a compilation that failed
                turns.pop()()

    cache.load_overload, cache.save_overload = load, save
    return compiled


@functools.cache
def _self_contained() -> Any:
    """A compiler of kernels that run their own copies of what they call, in the process that compiles them too.

    Numba links what a kernel calls into it and compiles it by itself as well. Of two functions of one name the process
    takes the one that it saw first: the kernel would run the other one until it is loaded from the disk, and the two
    are optimised in different places, which can move the last bits of what they return.

    Returns:
        a numba ``pipeline_class``; None without numba, or with one that is built otherwise.
    """
    if _njit() is _plain:
        return None
    compiler = importlib.import_module("numba.core.compiler").Compiler
    library = getattr(importlib.import_module("numba.core.codegen"), "JITCodeLibrary", None)
    if not all(hasattr(library, name) for name in ("_finalize_final_module", "enable_object_caching")):
        return None

    class Library(library):  # type: ignore[misc, valid-type]
        def _finalize_final_module(self) -> None:
            for function in self._final_module.functions:
                if not function.is_declaration and function.linkage.name == "linkonce_odr":
                    function.linkage = "internal"
            super()._finalize_final_module()

    class SelfContained(compiler):  # type: ignore[misc, valid-type]
        def compile_extra(self, function: Any) -> Any:
            self.state.library = Library(self.state.targetctx.codegen(), function.__qualname__)
            self.state.library.enable_object_caching()
            return super().compile_extra(function)

    return SelfContained


class _Compiled:
    """A function that numba compiles, which is imported when the first of them is called.

    That takes half a second, which a process that only hands out frames and keeps their lines does without. A kernel
    that calls another sees what it would see of numba's own object: its type, and whatever else it is asked for.
    """

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        functools.update_wrapper(self, function)
        self._function, self._options = function, options

    @functools.cached_property
    def _compiled(self) -> Any:
        alone = {} if (pipeline := _self_contained()) is None else {"pipeline_class": pipeline}
        compiled = _njit()(**self._options, **alone)(self._function)
        if (files := getattr(getattr(compiled, "_cache", None), "_cache_file", None)) is not None:
            keep_apart(files)
            fit_to_source(files)
        return _loaded_quickly(compiled)

    @functools.cached_property
    def _called(self) -> Any:
        """What other kernels call: compiled into each of them, so that it needs neither a file nor a way from Python.

        Both took a tenth of the compilation.
        """
        options = {**self._options, "cache": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        return _njit()(**options)(self._function)

    @property
    def _numba_type_(self) -> Any:
        return self._called._numba_type_

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._compiled(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by those who look at any object
            raise AttributeError(name)
        return getattr(self._compiled, name)


_SAID: dict[str, Any] = {"error_model": "python", "fastmath": False, "forceinline": False}
"""Numba's own. A kernel that does not say them has those of the first one that calls it: last bits would depend on
which of its callers is compiled first."""


def njit(*, cache: bool = False, **options: Any) -> Any:
    """``numba.njit`` that keeps compiled code only where nobody else can plant it (:func:`.kernel_cache.may_keep`)."""

    def compiled(function: Function) -> Function:
        kept = cache and may_keep(Path(function.__code__.co_filename))
        return cast(Function, _Compiled(function, {"cache": kept, **_SAID, **options}))

    return compiled


cv2: Any = _found("cv2", None, _NumpyCv2)
read_toml: Callable[[str], dict[str, Any]] = _found("tomllib", "loads", _read_toml)  # Python 3.11 has it

# Of LLVM's fast math what leaves infinities and NaN alone: a * b + c in one rounding, no difference between zeros of
# either sign, and division by multiplication with the reciprocal. Only last bits move.
_FAST = {"contract", "nsz", "arcp"}
_LOOP: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}

ZERO = cast(int, np.int64(0))
"""Where a number begins to count that is handed on to other kernels: of a plain 0 numba makes a type of its own, and
compiles them once more."""


def kernel(function: Function) -> Function:
    """A compiled loop: kept on disk, runs without Python's lock, divides by zero as numpy does.

    It may take ``NamedTuple`` arguments and compare with ``IntEnum`` members. What it takes from other modules is
    compiled into it: :mod:`.kernel_cache` sees to it that a change there is noticed.
    """
    return cast(Function, njit(**_LOOP)(function))


def fast_kernel(function: Function) -> Function:
    """A :func:`kernel` whose last bits may differ between processors."""
    return cast(Function, njit(**_LOOP, fastmath=_FAST)(function))


def inlined_kernel(function: Function) -> Function:
    """A :func:`fast_kernel` that becomes part of each loop that calls it.

    LLVM puts it there, and not numba (``inline="always"``), which finds out anew in each place what is of which type:
    nearly half of the compilation of the physics.
    """
    return cast(Function, njit(**_LOOP, fastmath=_FAST, forceinline=True)(function))
