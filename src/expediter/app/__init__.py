"""The use cases. They are synchronous and do no IO: they call ports, and the time and new ids are given to them."""
