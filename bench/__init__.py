"""What promote costs beside the tools that it stands in for: measured in one run, told as ratios.

See docs/benchmarks.md.
"""
