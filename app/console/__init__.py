"""The console: see a person, understand why, run the house. Pages of the workers, under `/console/`.

Pages are made on the worker, by the lookups' own functions, in whole and, for the scripts of a page, in parts; so there is one
implementation of every rule and one place where text is escaped. A script only puts parts in their places.
"""
