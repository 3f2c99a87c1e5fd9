"""What a person looks at of a trained run: images by name, each with a reason where there is none.

`run.py` opens a run and examples to show it; `views.py` has the images; report/ draws them.
"""
