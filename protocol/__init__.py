"""The Chengxin protocol: bytes in, value or error out.

No I/O, no clock, no framework: a second implementer ports this package, and an auditor installs it
alone (``chengxin-protocol``; PyNaCl, python-stdnum and the standard library). ``protocol.__main__``
is its only edge.
"""

PROTOCOL_VERSION = 1
# The majors that are read here: N, and N - 1 once there are two. Everybody asks this one place.
SPOKEN_VERSIONS = (PROTOCOL_VERSION,)
