"""A run: its folder, description and records; how it is trained, watched, restored and loaded."""
