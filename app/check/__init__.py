"""`onetrail check`: what the workers hold, against a plain recomputation from the topics.

    behaviour.*, requests, behaviour.rejected, identity.merges  --log.py-->  \\
                                                                              ledger (SQLite on disk)  --rules.py-->  differences
    rows of the workers' tables, page by page over HTTP         --held.py-->  /

Nothing of the stages is used but how a raw record is read (`models.parse`): no messages, no handshake, no sweeps. Where guards,
operators or erasures make the outcome depend on the order of the inbox, it is judged by what must hold in any order: every pair
that was shown together is linked or refused, people are the components of the links, no limit is exceeded, nobody who was kept
apart is together, every event stands once, with whoever has its anchor.

While the system works, what is compared is a *cut*: the ends of the topics when the check began. What came later may be there or
not. Rows move while they are read, so a difference counts only if it is found again each time that all rows are read anew
(`run.py`). What cannot be compared (records that retention removed, or that other rules read) is counted and told.

The ledger is a temporary file that is gone with the process; of an event it keeps its id, times, anchor and a digest.
"""
