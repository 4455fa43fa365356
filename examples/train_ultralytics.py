"""Train Ultralytics YOLO on a set of gis, and validate it.

    gis synthesize --count 400 --out out/set --format yolo --split 0.8,0.2
    python examples/train_ultralytics.py out/set-yolo/data.yaml

Grey images are read as three equal channels, which is what weights trained on colour images expect. yolo11n.pt is
fetched from the network at first; yolo11n.yaml begins with random weights.
"""

import argparse

from ultralytics import YOLO


def main() -> None:
    """Train and validate."""
    parser = argparse.ArgumentParser(description="YOLO on a set of gis")
    parser.add_argument("data", help="data.yaml of gis export --format yolo")
    parser.add_argument("--model", default="yolo11n.pt")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--size", type=int, default=640)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--device", default=None, help="cpu, 0 ...")
    parser.add_argument("--out", default="runs", help="folder of the results")
    args = parser.parse_args()
    model = YOLO(args.model)
    model.train(
        data=args.data,
        epochs=args.epochs,
        imgsz=args.size,
        batch=args.batch,
        device=args.device,
        project=args.out,
        hsv_h=0.0,  # grey has neither hue ...
        hsv_s=0.0,  # ... nor saturation
        hsv_v=0.4,  # gain differs between cameras
        flipud=0.0,
        plots=False,
    )
    found = model.val(data=args.data, imgsz=args.size, device=args.device, project=args.out, plots=False)
    print(f"AP {found.box.map:.3f}, AP50 {found.box.map50:.3f}")


if __name__ == "__main__":
    main()
