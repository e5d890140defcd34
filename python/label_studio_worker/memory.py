"""How much memory this process holds."""

import os
import resource
import sys


def resident_bytes():
    """Resident memory now, in bytes; where the system does not tell, the most there has been."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
