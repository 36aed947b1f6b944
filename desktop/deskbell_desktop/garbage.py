"""When Python looks for cyclic garbage: seldom, because a full search stops the window for a tenth of a second.

With thousands of messages under way there is much to search and nothing to find; what Qt, asyncio and tracebacks leave
in cycles is young, and found by the short searches.
"""

import gc

THRESHOLDS = (5_000, 20, 50)


def search_seldom() -> None:
    """Once the program stands: what is there now stays, and is not searched again."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
