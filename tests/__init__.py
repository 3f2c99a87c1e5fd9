"""A package, lest another one called `tests` that is installed hide it from processes that tests start."""
