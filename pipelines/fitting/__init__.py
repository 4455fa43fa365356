"""Car models fitted to the cars of real thermal frames: analysis by synthesis."""
