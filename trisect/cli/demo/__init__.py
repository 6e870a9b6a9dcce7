"""`trisect demo`: the main job on one machine, from nothing to verified hits, then cleaned up."""
