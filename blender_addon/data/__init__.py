"""What the panel works on: zones of meshes, shipped cars, passes, thermal images. Knows no panel and no job."""
