"""`onetrail rebuild`: a second state from the log beside the one in use, compared with log and state, then chosen.

    behaviour.*, requests --feed.py, in the order of the log--> .gN. inboxes --> shadow workers --> rows, outputs under .gN.

A live system handles what it is told in about the order of the log, so a rebuild that read topic after topic would find other
elders, let other links win where guards forbid one of two, and erase before there is anybody to forget. So the records of all
topics are fed by their append times, from one process, and whatever may depend on an order waits for what is before it
(`order.py`). Two rebuilds of one log by the same rules give the same uids.
"""
