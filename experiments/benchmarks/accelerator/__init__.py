"""Ten minutes on one accelerator: correctness, then speed, as a page. See __main__.py and parts.py."""
