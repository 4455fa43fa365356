"""Speed of the passes: the street against Cycles, over triangles and objects, and with files written.

    python -m benchmarks.render

One process, one thread. Rates come from batches of frames with moving traffic that follow each other; the fastest batch
is what the program costs where nothing else runs, and the median is printed beside it. The last line is JSON.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assets import CAMERAS, CITY
from pipelines.dataset.store import FRAMES_FILE
from pipelines.synthesis.options.render import RenderConfig
from pipelines.synthesis.passes import render
from renderer.geometry.camera import Camera, read_cameras
from renderer.geometry.meshes import Mesh, MeshPool, make_mesh
from renderer.raster.rasterizer import Drawing, Rasteriser
from renderer.scene.cars import FrameSetup, Placement

__all__ = ["main"]

SIZE_PX = 512
BATCHES, BATCH = 12, 25
CYCLES_FRAMES = 5
TRIANGLES = (20_000, 63_000, 200_000, 632_000, 2_000_000)
CROWDS, CROWD_FRAMES = (10, 30, 100, 300, 1000), 8
FILES = 400


def batch_times_s(call: Callable[[int], object], batches: int, size: int) -> list[float]:
    """Seconds per call of batches of consecutive numbers."""
    times = []
    for batch in range(batches):
        begin = time.perf_counter()
        for index in range(batch * size, (batch + 1) * size):
            call(index)
        times.append((time.perf_counter() - begin) / size)
    return times


def street(camera: Camera) -> tuple[float, float, float]:
    """Frames per second of the z-buffer (fastest batch, median batch), and its ratio to Cycles on the same frames."""
    # Worker processes start from this one, and cannot once Blender is in it: imported after they have run.
    from renderer.blender.engine import RenderSession

    with RenderSession(CITY, camera=camera) as session:
        session.frame(0)
        times = batch_times_s(session.frame, BATCHES, BATCH)
    with RenderSession(CITY, camera=camera, engine="cycles") as cycles:
        cycles.frame(0)
        slow = batch_times_s(cycles.frame, CYCLES_FRAMES, 1)
    # The Cycles engine draws the z-buffer's amodal counts too; they are no part of what Cycles costs.
    ratio = (statistics.median(slow) - statistics.median(times)) / statistics.median(times)
    return 1 / min(times), 1 / statistics.median(times), ratio


def terrain(triangles: int) -> Mesh:
    """A wavy sheet of about that many triangles, 40 m wide."""
    side = round((triangles / 2) ** 0.5) + 1
    x, y = np.meshgrid(np.linspace(-20, 20, side), np.linspace(1, 41, side))
    positions = np.stack([x, y, np.sin(x) * np.cos(0.7 * y)], axis=-1).reshape(-1, 3).astype(np.float32)
    n = np.arange(side * side, dtype=np.int32).reshape(side, side)
    lower = np.stack([n[:-1, :-1], n[:-1, 1:], n[1:, 1:]], axis=-1).reshape(-1, 3)
    upper = np.stack([n[:-1, :-1], n[1:, 1:], n[1:, :-1]], axis=-1).reshape(-1, 3)
    faces = np.concatenate([lower, upper])
    normals = np.tile(np.array([0, 0, 1], np.float32), (len(faces), 3, 1))
    return make_mesh(positions, faces, np.full(len(faces), 32, np.uint8), normals)


def draws(
    rasteriser: Rasteriser, pool: MeshPool, drawing: Drawing, pose: NDArray[np.float64]
) -> Callable[[int], object]:
    """A call that draws the same thing, whatever the number of the frame."""
    return lambda _: rasteriser.draw(pool, drawing, pose)


def scaling(camera: Camera) -> float:
    """Cost per triangle at the largest count over that at the smallest; 1 is linear, below it better."""
    pose = np.eye(4)
    pose[:3, :3] = [[1, 0, 0], [0, 0, 1], [0, -1, 0]]
    pose[2, 3] = 4.0
    costs = []
    for count in TRIANGLES:
        pool = MeshPool()
        mesh = terrain(count)
        drawing = Drawing(np.array([pool.put("terrain", mesh)]), np.eye(4)[None], np.zeros(1, np.int64))
        rasteriser = Rasteriser(camera)
        rasteriser.draw(pool, drawing, pose)
        seconds = min(batch_times_s(draws(rasteriser, pool, drawing, pose), 5, 2))
        costs.append(seconds / len(mesh.triangles))
        print(f"{len(mesh.triangles):>9} triangles: {seconds * 1e3:7.2f} ms a frame")
    return costs[-1] / costs[0]


def crowds(camera: Camera) -> dict[int, float]:
    """Milliseconds of processor time a frame of so many cars on a plane, all in view, half of them behind others."""
    from renderer.blender.engine import RenderSession  # as above

    costs = {}
    with RenderSession(CITY, camera=camera) as session:
        for count in CROWDS:
            setup = crowd(count, [size.name for size in session.model_sizes])
            objects = len(session.frame_on_plane(setup, normals=True, parts=True).instances)
            begin = time.process_time()
            for _ in range(CROWD_FRAMES):
                session.frame_on_plane(setup, normals=True, parts=True)
            costs[count] = (time.process_time() - begin) / CROWD_FRAMES * 1e3
            print(f"{objects:>9} objects: {costs[count]:7.2f} ms a frame")
    return costs


def crowd(count: int, models: Sequence[str]) -> FrameSetup:
    """Cars in rows before a camera 1.6 m above the ground, the nearest 8 m away."""
    pose = np.eye(4)
    pose[:3, :3] = [[0, 0, 1], [-1, 0, 0], [0, -1, 0]]
    pose[2, 3] = 1.6
    placements: list[Placement] = []
    x_m = 8.0
    while len(placements) < count:
        across = max(1, int(0.7 * x_m / 2.5))
        for k in range(min(across, count - len(placements))):
            model, y_m = models[len(placements) % len(models)], 2.5 * (k - (across - 1) / 2)
            placements.append(Placement(model, x_m, y_m, 0.0, 0.3 * len(placements), "driving"))
        x_m += 6.0
    return FrameSetup(0, tuple(placements), pose)


def with_files() -> float:
    """Frames per second of ``gis render`` with one worker, from its first line to its last."""
    with tempfile.TemporaryDirectory(prefix="gis-benchmark-") as folder:
        out = Path(folder) / "out"
        render(RenderConfig(out=out, count=1, workers=1, size=str(SIZE_PX)))
        opened = time.perf_counter()
        render(RenderConfig(out=out, count=2, workers=1, size=str(SIZE_PX)))
        begin = time.perf_counter()
        render(RenderConfig(out=out, count=FILES + 2, workers=1, size=str(SIZE_PX)))
        end = time.perf_counter()
        lines = (out / FRAMES_FILE).read_bytes().count(b"\n")
    # The second run opens the scene for one frame; the third for FILES: their difference is what the frames cost.
    return (lines - 3) / ((end - begin) - (begin - opened))


def main() -> None:
    """Runs the benchmark."""
    camera = read_cameras(CAMERAS)["kitti-object"].square(SIZE_PX)
    files_fps = with_files()
    print(f"gis render {files_fps:.0f} frames/s with files, one worker")
    fastest, median, ratio = street(camera)
    print(f"raster {fastest:.0f} frames/s in the fastest batch, {median:.0f} in the median one")
    linear = scaling(camera)
    costs = crowds(camera)
    result = {
        "raster_fps": round(fastest, 1),
        "raster_fps_median": round(median, 1),
        "ratio_vs_cycles": round(ratio, 1),
        "scaling": round(linear, 2),
        "crowd_ms": {count: round(cost, 1) for count, cost in costs.items()},
        "gis_render_fps": round(files_fps, 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
