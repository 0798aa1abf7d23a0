"""What a distributed Map reads from an object store and writes to it. The store itself is the caller's."""
