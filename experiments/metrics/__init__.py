"""What the metrics answer to damage whose size is known. See sensitivity.py."""
