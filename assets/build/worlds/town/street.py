"""The main street of a small town: two lanes, parked rows, wide pavements, houses wall to wall."""

from __future__ import annotations

import numpy as np

from assets.build.worlds.plants import plant_makers
from assets.build.worlds.road import asphalt, sidewalks
from assets.build.worlds.site import Course, Site
from assets.build.worlds.surroundings import backdrop_trees, ground_plate, hills
from assets.build.worlds.things import thing_makers

from .frontage import frontages, side_street_houses
from .furniture import town_makers
from .junctions import far_end, junctions, lanes, middle
from .plan import draw_plan

__all__ = ["town"]


def town(seed: int) -> Site:
    """The scene of a seed."""
    rng = np.random.default_rng([seed, 106])
    site = Site(rng)
    site.makers |= thing_makers() | plant_makers(rng, winter=float(rng.choice([0.0, 0.0, 0.0, 0.7]))) | town_makers()
    plan = draw_plan(rng)
    axis, section = plan.axis, plan.section
    ground_plate(site, axis)
    hills(site, axis, float(rng.uniform(15.0, 100.0)))
    asphalt(site, axis, section, plan.crossings)
    sidewalks(site, axis, section, plan.crossings)
    lanes(site, plan)
    middle(site, plan)
    junctions(site, plan)
    frontages(site, plan)
    for one in plan.crossings:
        side_street_houses(site, plan, one)
    far_end(site, plan)
    blocked = [(one.u_m - 11.0, one.u_m + 11.0) for one in plan.crossings]
    trees = {**plan.trees, **({name: 0.5 * weight for name, weight in plan.palms.items()} if plan.is_southern else {})}
    backdrop_trees(site, axis, trees, section.back_m + 40.0, section.back_m + 85.0, 90, blocked)
    site.far_m, site.speed_m_s = 95.0, 6.0
    site.course = Course(axis, section.back_m, tuple((a - 14.0, b + 14.0) for a, b in blocked))
    return site
