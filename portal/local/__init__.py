"""The house: starts and stops the parts an installation on one machine is made of.

``make demo``, the tests and the benchmarks share these launchers, so what is tested is what runs.
Nothing here is imported by the portal itself; a bigger installation uses its own PostgreSQL, Redis and
process manager and never loads this package.
"""
