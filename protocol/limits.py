"""Every limit of the protocol, by name and with its unit.

A limit is part of the specification (docs/protocol/limits.md): raising one is a protocol change.
"""

# Messages: see docs/protocol/message.md.
MESSAGE_BYTES_MAX = 262_144  # a query, receipt or consent delivery
ANSWER_BYTES_MAX = 1_048_576  # an answer or a signed problem
ENVELOPE_BYTES_MAX = 16_384  # one compact JWS of a message
STATEMENT_BYTES_MAX = 65_536  # one compact JWS of a statement
REGISTRY_BYTES_MAX = 16_777_216  # one registry snapshot: it never drops a key, so it grows
JWS_HEADER_BYTES_MAX = 512
JSON_DEPTH_MAX = 16
JSON_INTEGER_MAX = 2**53 - 1
INCLUSION_BYTES_MAX = 16_384  # a tlog-proof beside a message
SALT_BYTES = 32
HASH_BYTES = 32
JTI_BYTES = 16
CONSENTS_PER_MESSAGE_MAX = 100

# Time: see docs/protocol/message.md on freshness.
MESSAGE_LIFE_S_MAX = 300
CLOCK_AHEAD_S_DEFAULT = 10
CLOCK_AHEAD_S_CEILING = 60  # a node refuses to start with more
POLL_AFTER_S_MAX = 86_400  # that a provider may ask for before the next poll
RECEIPT_DUE_S = 60  # after an answer; what has none by then is logged as unacked

# Consents: see docs/protocol/consent.md.
CONSENT_LIFE_S_MAX = 2 * 366 * 86_400  # 24 months
CONSENT_USES_MAX = 10_000
CONSENT_MONTHS_MAX = 36
CONSENT_TEXT_CHARACTERS_MAX = 400
VOUCHED_LIFE_S_MAX = 92 * 86_400  # of a consent that a paper stands behind: a quarter
VOUCHED_USES_MAX = 12

# Registry and status list.
REGISTRY_LIFE_S = 86_400
REGISTRY_KEYS_PER_MEMBER_MAX = 64
KEY_OVERLAP_S = 30 * 86_400  # an old key counts beside the new one: its messages must arrive
KEY_CHANGE_AHEAD_S_MAX = 30 * 86_400  # how far ahead a change may be announced
STATUS_LIST_LIFE_S = 300
STATEMENT_SIGNATURES_MAX = 16
MANIFEST_BYTES_MAX = 131_072  # one fan-out manifest of a hundred questions

# Names.
MEMBER_ID_CHARACTERS_MAX = 253
SUBJECT_ID_CHARACTERS_MAX = 128

# Log entries: see docs/protocol/log.md.
LOG_ENTRY_BYTES_MAX = 8_192  # a hundred consents with their codes and two member ids fit
ERASED_MESSAGES_MAX = 100  # named by one ``erased`` entry

# Log formats: see docs/protocol/log.md; C2SP leaves most of these to the implementation.
TREE_SIZE_MAX = 2**63 - 1  # what every verifier can hold in a signed 64-bit integer
PROOF_HASHES_MAX = 63
LOG_ENTRY_FORMAT_BYTES_MAX = 65_535  # uint16 length prefix of an entry bundle
KEY_NAME_BYTES_MAX = 255  # an origin must also fit the ML-DSA-44 cosignature
NOTE_SIGNATURES_MAX = 64  # a verifier must accept 16
NOTE_BYTES_MAX = 131_072
WITNESS_REQUEST_BYTES_MAX = 135_168  # a note and 63 proof lines
LOG_PROOF_BYTES_MAX = 262_144  # a tlog-proof anywhere but beside a message
LOG_POLICY_BYTES_MAX = 65_536
LOG_POLICY_ITEMS_MAX = 64  # of logs, of witnesses, of groups; 32 must be supported
TILE_CACHE_TILES = 64  # full tiles held expanded: 16 KiB each
