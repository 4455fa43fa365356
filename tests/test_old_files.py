"""Files of earlier versions are read: data sets, passes, models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

FIXTURES = Path(__file__).resolve().parent / "fixtures"


@pytest.mark.parametrize(("name", "objects"), [("dataset_v1", 10), ("passes_v1", 26)])
def test_old_data_sets_validate(name: str, objects: int) -> None:
    from pipelines.dataset.validation import validate

    report = validate(FIXTURES / name)
    assert report.problems == []
    assert (report.frames, report.objects) == (2, objects)


def test_old_models_translate() -> None:
    torch = pytest.importorskip("torch")
    from gan.storage.model_file import read_model_file

    loaded = read_model_file(FIXTURES / "model_v1.safetensors")
    source = torch.zeros(1, 7, 128, 128)
    with torch.no_grad():
        image = loaded.build()(source)
    assert image.shape == (1, 1, 128, 128)
    assert np.isfinite(image.numpy()).all()
