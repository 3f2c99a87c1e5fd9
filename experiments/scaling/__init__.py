"""The cost of data parallelism on more devices than one has. See calculator.py."""
