"""The real handlers under a model of the runtime that breaks in every way the real one may.

`history` draws what happens to people, `runtime` delivers it with faults, `journeys` is a small journey actor, `world`
puts them together for one seed, `checks` says what is wrong at rest, `mutants` removes one rule at a time: each must be
found. `python -m tests.simulation --help` runs more of it.
"""
