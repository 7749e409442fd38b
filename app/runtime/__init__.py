"""What Faust lacks for stages that neither lose nor double: runs, lanes, packs, stamped rows, fencing.

Words: a *run* is all records of one partition that one fetch returned; a *lane* is what waits for a partition; a *pack*
is many messages for one partition in one Kafka record; a *cursor* is what a partition has seen of each source; a *stamp* is
the inbox offset a row has applied; *finish* says that all of a run is durable. Knows bytes and offsets, nothing of customers.
"""
