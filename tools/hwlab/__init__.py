"""The lab: network namespaces, real SIP peers and the gateway, for the tests, the demo and the curious.

Nothing here needs more than Python's standard library. Everything that the lab makes carries its
identity (`hw-ID-...`), lives below one state folder and goes away with it.
"""
