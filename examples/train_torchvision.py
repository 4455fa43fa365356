"""Train a detector of torchvision on a set of gis, and measure its average precision.

    gis synthesize --count 400 --out out/set --format coco --split 0.8,0.2
    python examples/train_torchvision.py out/set-coco --pretrained

CocoDetection reads grey images as three equal channels, which is what a backbone trained on colour images expects. What
is to be ignored is a crowd (iscrowd): no target here, and COCO's measure counts finds in it neither for nor against.
"""

import argparse
from pathlib import Path

import torch
from pycocotools.cocoeval import COCOeval
from torch.utils.data import DataLoader
from torchvision.datasets import CocoDetection
from torchvision.models.detection import ssdlite320_mobilenet_v3_large
from torchvision.transforms.functional import to_tensor


class Frames(CocoDetection):
    """Images (3, H, W) of 0 to 1 with boxes and labels as torchvision's detectors want them."""

    def __getitem__(self, index: int) -> tuple[torch.Tensor, dict]:
        """One image."""
        image, objects = super().__getitem__(index)
        objects = [one for one in objects if not one["iscrowd"]]
        boxes = torch.tensor([one["bbox"] for one in objects], dtype=torch.float32).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]  # left, top, right, bottom
        labels = torch.tensor([one["category_id"] for one in objects], dtype=torch.int64)
        return to_tensor(image), {"boxes": boxes, "labels": labels}


def frames(folder: Path, split: str) -> Frames:
    """The frames of a split."""
    return Frames(folder / split, folder / f"annotations/instances_{split}.json")


def train(model: torch.nn.Module, data: Frames, epochs: int, batch: int) -> None:
    """Plain gradient descent."""
    loader = DataLoader(
        data, batch, shuffle=True, drop_last=True, collate_fn=lambda pairs: tuple(zip(*pairs, strict=True))
    )
    optimiser = torch.optim.SGD(model.parameters(), lr=0.002 * batch, momentum=0.9, weight_decay=4e-5)
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for images, targets in loader:
            loss = sum(model(list(images), list(targets)).values())
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / max(len(loader), 1):.3f}")


@torch.inference_mode()
def measure(model: torch.nn.Module, data: Frames) -> None:
    """COCO's measure, printed."""
    model.eval()
    found = []
    for index, number in enumerate(data.ids):
        (one,) = model([data[index][0]])
        for (left, top, right, bottom), label, score in zip(
            one["boxes"].tolist(), one["labels"].tolist(), one["scores"].tolist(), strict=True
        ):
            box = [left, top, right - left, bottom - top]
            found.append({"image_id": number, "category_id": label, "bbox": box, "score": score})
    if not found:
        raise SystemExit("nothing was found: train for longer")
    measure = COCOeval(data.coco, data.coco.loadRes(found), "bbox")
    measure.evaluate()
    measure.accumulate()
    measure.summarize()


def main() -> None:
    """Train, then measure."""
    parser = argparse.ArgumentParser(description="torchvision's SSDlite on a set of gis")
    parser.add_argument("folder", type=Path, help="gis export --format coco")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--pretrained", action="store_true", help="fetch a backbone trained on ImageNet")
    args = parser.parse_args()
    data = frames(args.folder, "train")
    classes = max(data.coco.getCatIds()) + 1  # 0 is the background
    backbone = "DEFAULT" if args.pretrained else None
    model = ssdlite320_mobilenet_v3_large(weights=None, weights_backbone=backbone, num_classes=classes)
    train(model, data, args.epochs, args.batch)
    measure(model, frames(args.folder, "val"))


if __name__ == "__main__":
    main()
