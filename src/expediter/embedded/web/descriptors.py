"""How many connections there may be: what this process may open, less what it needs itself."""

import resource

#: Descriptors asked for at the start: the usual 1,024 are a default for programs that use select(2), not a protection.
WANTED = 20_480
#: Kept for ourselves: connections of the gateways (100 each), mails under way, the database, the log.
OWN = 480


def raised() -> int:
    """Raises the soft limit of descriptors as far as we may and want to; the connections that leaves room for."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= WANTED:
        return WANTED - OWN
    for wanted in (WANTED, 10_240):  # macOS takes no more than the second, whatever it says of the hard limit
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
        except (ValueError, OSError):
            continue
        break
    return connections(resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def connections(descriptors: int) -> int:
    """How many of so many descriptors are for connections: at least half."""
    return max(descriptors - OWN, descriptors // 2)
