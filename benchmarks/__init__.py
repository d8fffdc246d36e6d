"""This engine and its peers on the same data, each as a process of its own: `python -m benchmarks --help`."""
