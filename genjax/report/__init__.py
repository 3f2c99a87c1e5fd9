"""Presentation of results: progress (console), images (figures, gallery, curves, ...), a run's page (html).

Nothing here imports JAX: arrays are NumPy's. Import the module that is needed, `from genjax.report import figures`; the
package imports none of them, and they import matplotlib, Pillow and rich only when used.
"""
