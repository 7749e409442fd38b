"""The search for cycles, in processes that make and drop thousands of small values a second and keep thousands.

None of them is in a cycle, and looking for cycles cost workers and the collector a tenth of their time.
"""

import gc


def spare() -> None:
    """What is there now is never looked at again, and what comes seldom."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
