"""Presentation of results: progress and tables (console), images (figures, curves), a run's page (html).

Nothing here uses JAX: arrays are NumPy's. Import the module that is needed, `from genjax.report import figures`: this
package imports none of them, and they import matplotlib, Pillow and rich only when used.
"""
