"""Matching protocols as state machines, engines behind one seam. No I/O."""
