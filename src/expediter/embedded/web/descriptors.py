"""How many connections there may be: the descriptors that this process may open, less those that it needs itself."""

import resource

#: Descriptors that the server asks for at its start. The usual limit of 1,024 is for programs that use select(2).
WANTED = 20_480
#: Descriptors that are kept for the gateways (100 each), for mails under way, the database and the log.
OWN = 480


def raised() -> int:
    """Raises the soft limit of descriptors as far as allowed and needed. Returns how many connections it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED:
        return WANTED - OWN
    for wanted in (WANTED, 10_240):  # macOS accepts no more than the second value, even if its hard limit is higher
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
        except (ValueError, OSError):
            continue
        break
    return connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def connections(descriptors: int) -> int:
    """How many of these descriptors are for connections: at least half."""
    return max(descriptors - OWN, descriptors // 2)
