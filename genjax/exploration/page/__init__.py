"""The page of genjax.explore: a tab with a request, an image of it, and controls that change it.

Each panel of controls is a function of its tab. NiceGUI is imported when a page is served, by `serve` alone.
"""
