"""The options of every command that can work on a Ray cluster, declared once, and their check."""

from __future__ import annotations

from typing import Annotated, Final, Protocol

from gan.options import Option

from pipelines.errors import ConfigError

__all__ = [
    "CpusPerWorker",
    "GpusPerWorker",
    "RayAddress",
    "RunsOnCluster",
    "TranslatorBatch",
    "TranslatorDevice",
    "Translators",
    "check_cluster",
]

_RUN: Final = "Run"
_UNSET: Final = {
    "cpus_per_worker": 1.0, "gpus_per_worker": 0.0, "translators": None, "translator_device": "auto",
    "translator_batch": None,
}  # fmt: skip
"""Options of workers on a cluster, and what they are where nobody gave them."""
RayAddress = Annotated[
    str | None,
    Option(
        "Work on a Ray cluster: auto (one that runs on this machine, or its own cores), or HOST:PORT of the head; "
        "changes no file.",
        _RUN,
        suggestions=lambda: ("auto",),
        default_text="on this machine, without Ray",
        decides_content=False,
    ),
]
CpusPerWorker = Annotated[
    float,
    Option(
        "Cores that Ray keeps for each worker; more of them mean fewer workers on a node, each with more memory.",
        _RUN,
        above=0.0,
        at_most=1024.0,
        decides_content=False,
    ),
]
GpusPerWorker = Annotated[
    float,
    Option(
        "GPUs, or the share of one, that Ray keeps for each worker; 0: workers compute on cores.",
        _RUN,
        at_least=0.0,
        at_most=64.0,
        decides_content=False,
    ),
]
Translators = Annotated[
    int | None,
    Option(
        "Models on a Ray cluster that translate for all workers, in batches; 0: each worker has its own.",
        _RUN,
        at_least=0,
        at_most=1024,
        default_text="one for each GPU of the cluster",
        decides_content=False,
    ),
]
TranslatorDevice = Annotated[
    str,
    Option(
        "A torch device for --translators: cpu, cuda ...; auto: a GPU.",
        _RUN,
        decides_content=False,
    ),
]
TranslatorBatch = Annotated[
    int | None,
    Option(
        "Windows of one size that --translators take at once; rounding differs from one by one.",
        _RUN,
        at_least=1,
        at_most=1024,
        default_text="16 on a GPU, 1 on cores",
        decides_content=False,
    ),
]


class RunsOnCluster(Protocol):
    """A configuration of a command that can work on a cluster."""

    @property
    def ray(self) -> str | None:
        """Address of the cluster; None: without one."""

    @property
    def workers(self) -> int | None:
        """How many; None for as many as there is room for."""

    @property
    def cpus_per_worker(self) -> float:
        """Cores that are kept for each."""


def check_cluster(config: RunsOnCluster) -> None:
    """Sees to it that the options can be meant; asks nobody.

    Raises:
        ConfigError: an address that is none, or options of workers on a cluster without one.
    """
    if config.ray is not None:
        from pipelines.cluster.connection import check_address

        check_address(config.ray)
        return
    for name, unset in _UNSET.items():
        if getattr(config, name, unset) != unset:
            flag = name.replace("_", "-")
            raise ConfigError(f"{flag}: is for workers on a Ray cluster: give --ray too, or leave it out")
