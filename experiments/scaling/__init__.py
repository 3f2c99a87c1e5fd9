"""What data parallelism costs on more devices than one has. See calculator.py."""
