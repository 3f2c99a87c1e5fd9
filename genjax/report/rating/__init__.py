"""A sheet for human raters: its page, its key, and the answers to it."""
