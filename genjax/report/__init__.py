"""How results are shown: progress and tables (console), images (figures, curves), a run's page (html).

Nothing here knows JAX: arrays come in as NumPy. Import the room you need, `from genjax.report import figures`;
this package imports none of them, and they import matplotlib, Pillow and rich only when used.
"""
