"""``gis train``."""

from __future__ import annotations

from gan.training.options import TrainingRun

from pipelines.cli.console import say, say_result

__all__ = ["train"]


def train(config: TrainingRun) -> None:
    """Train a translation model and write one small file to share, OUT/model.safetensors."""
    from gan.backends.registry import load_backend
    from gan.options import new_names
    from gan.training.train import train as run

    from pipelines.dataset.packed.samples import find_sources_anywhere

    path = run(
        config.data,
        config.out,
        config.model,
        new_names(load_backend(config.model).Config, config.settings, _note),
        config.options,
        config.data_options,
        resume=config.resume,
        cache=config.cache,
        report=say,
        find=find_sources_anywhere,
    )
    size = path.stat().st_size
    say_result(f"{path}: {size / 1e6:.1f} MB; use it with gis translate --weights {path}", weights=path, bytes=size)


def _note(old: str, new: str) -> None:
    say(f"gis train: option {old} of the model is now called {new}", err=True)
