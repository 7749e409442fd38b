"""How well standardising and cleaning do on a labelled sample. `python -m tests.quality` prints the figures.

`cases` are written by hand: what comes in, beside what a person who knows the business would make of it, also where the rules
cannot. `sample` combines them to some hundred records, always the same ones; `measure` compares.
"""
