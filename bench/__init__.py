"""Figures as ratios against peers measured in the same run: `python -m bench [canonical|matching|imports ...]`."""
