"""How fast genjax is, measured against other libraries in one run. See step_time.py."""
