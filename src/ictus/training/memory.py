"""Memory of a process that trains on a CPU: what is freed is kept for the next step."""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4  # the parameters' numbers in malloc.h


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory instead of handing it back; return whether it does (glibc does).

    Large tensors are otherwise mapped and unmapped anew in every layer, and the kernel clears each page again: training
    convolutions on a CPU then takes two to three times as long.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    settings = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_TOP_PAD, 2**28))
    taken = [mallopt(parameter, value) == 1 for parameter, value in settings]
    return all(taken)
