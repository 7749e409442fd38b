"""The edge: where events arise, before the network.

Lines come in (`folder`, `pipe`), are judged by the very rules of the centre (`sieve`), and what is valid waits on disk (`spool`)
until the collector has acknowledged it (`sender`), for days if need be: in order, with the times and ids that it had. A line is
read in the same transaction that makes its event wait, so a crash loses none and repeats none.
"""
