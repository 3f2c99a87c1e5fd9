"""How results are shown: progress and tables (console), pictures (figures), a run's page (html), safe writes (files).

Nothing here knows JAX: arrays come in as NumPy. Import the room you need, `from genjax.report import figures`;
this package imports none of them, and they import matplotlib, Pillow and rich only when used.
"""
