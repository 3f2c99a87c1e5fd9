"""What a person looks at of a trained run: pictures by name, each with a reason where there is none.

`run.py` opens a run and examples to show it; `views.py` has the pictures; report/ draws them.
"""
