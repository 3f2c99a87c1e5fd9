"""Runs side by side on one page: found and read, as a table, as curves, and as sample grids of one step."""
