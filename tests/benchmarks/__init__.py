"""How fast it is, beside baselines that are measured in the same run on the same broker: `make bench`.

The worker, and each baseline, has a core of its own; the broker and the load share the rest. Figures of different machines,
or of a busy one, say little: compare the ratios. The load is behaviour in which one event in ten joins a session with an account
(new links), and then more behaviour of the same people (steady state).
"""
