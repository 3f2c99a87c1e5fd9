"""Images that show what a trained run has learned: views by name, each with a reason where it does not apply.

`views.py` and `styles.py` have the views, `registry.py` their names; `genjax.report` draws them.
"""
