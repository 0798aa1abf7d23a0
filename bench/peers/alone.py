"""Runs a program in a network of its own that has only loopback: a peer asks nobody whether there is a newer one.

``python -m bench.peers.alone MODULE [options]`` first prints ``{"alone": true}``, or false where the system does not
permit it; the program then runs all the same. Only the standard library, as in ``cells``.
"""

import ctypes
import json
import os
import runpy
import socket
import struct
import sys

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000
_GET_FLAGS, _SET_FLAGS, _UP = 0x8913, 0x8914, 0x1


def alone() -> bool:
    """Whether this process is in a network of its own from now on."""
    if sys.platform != "linux":
        return False
    kinds = NEW_NETWORK if os.geteuid() == 0 else NEW_NETWORK | NEW_USER
    if ctypes.CDLL(None).unshare(kinds) != 0:
        return False
    import fcntl  # noqa: PLC0415  # not on every system

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        (flags,) = struct.unpack("16xH14x", fcntl.ioctl(any_socket, _GET_FLAGS, asked))
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))
    return True


if __name__ == "__main__":
    print(json.dumps({"alone": alone()}), flush=True)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
