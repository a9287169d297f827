"""The bundle: what one node hands to an auditor (docs/protocol/bundle.md).

``manifest.json``    whose log, how far, when, whether redacted, which messages were chosen
``policy``           tlog-policy: the log and the hub's witness
``checkpoint``       the newest cosigned head
``tile/…``           tlog-tiles of exactly that size, entries among them
``registry.jsonl``   the snapshots, from number 1
``consents.jsonl``   artefacts, with subject id and salt unless redacted
``statuses.jsonl``   signed changes of a consent's state
``messages.jsonl``   envelopes with proofs; bodies and salts unless redacted or erased
``heads.jsonl``      peers' checkpoints held
``witnessed.jsonl``  earlier cosigned heads of this log, thinned; may be missing
``anchors.jsonl``    time-stamps that the log names; missing where there are none
``keychanges.jsonl`` key changes that the log names; missing where there are none

Another verifier of tlog-tiles reads the same folder. Nothing here is trusted: what cannot be read
becomes a fault of its file and line, and the rest is judged without it.
"""

from protocol.bundle.files import (
    ANCHORS_FILE,
    BUNDLE_BYTES_MAX,
    BUNDLE_FILES_MAX,
    BUNDLE_LINE_BYTES_MAX,
    BUNDLE_LINES_MAX,
    BUNDLES_MAX,
    CHECKPOINT_FILE,
    CONSENTS_FILE,
    HEADS_FILE,
    KEY_CHANGES_FILE,
    MANIFEST_FILE,
    MESSAGES_FILE,
    POLICY_FILE,
    REGISTRY_FILE,
    STATUSES_FILE,
    TILE_FOLDER,
    WITNESSED_FILE,
    BundleFiles,
    MemoryFiles,
    find_content,
)
from protocol.bundle.lines import Line, read_lines
from protocol.bundle.reading import (
    BUNDLE_VERSION,
    FILTER_PEERS_MAX,
    UNENDED,
    Bundle,
    open_bundle,
    parse_bundle_files,
    parse_manifest,
    parse_message_line,
    take_content,
)
from protocol.bundle.records import (
    IN,
    OUT,
    AnchorRecord,
    ConsentRecord,
    Fault,
    HeadRecord,
    KeyChangeRecord,
    Manifest,
    MessageCopy,
    MessageFilter,
    MessageRecord,
    SnapshotRecord,
    StatusRecord,
    WitnessedRecord,
)
from protocol.bundle.writing import (
    build_log_files,
    build_policy,
    format_anchor,
    format_consent,
    format_head,
    format_key_change,
    format_manifest,
    format_message_record,
    format_snapshot,
    format_status,
    format_witnessed,
)

__all__ = [
    "ANCHORS_FILE",
    "BUNDLES_MAX",
    "BUNDLE_BYTES_MAX",
    "BUNDLE_FILES_MAX",
    "BUNDLE_LINES_MAX",
    "BUNDLE_LINE_BYTES_MAX",
    "BUNDLE_VERSION",
    "CHECKPOINT_FILE",
    "CONSENTS_FILE",
    "FILTER_PEERS_MAX",
    "HEADS_FILE",
    "IN",
    "KEY_CHANGES_FILE",
    "MANIFEST_FILE",
    "MESSAGES_FILE",
    "OUT",
    "POLICY_FILE",
    "REGISTRY_FILE",
    "STATUSES_FILE",
    "TILE_FOLDER",
    "UNENDED",
    "WITNESSED_FILE",
    "AnchorRecord",
    "Bundle",
    "BundleFiles",
    "ConsentRecord",
    "Fault",
    "HeadRecord",
    "KeyChangeRecord",
    "Line",
    "Manifest",
    "MemoryFiles",
    "MessageCopy",
    "MessageFilter",
    "MessageRecord",
    "SnapshotRecord",
    "StatusRecord",
    "WitnessedRecord",
    "build_log_files",
    "build_policy",
    "find_content",
    "format_anchor",
    "format_consent",
    "format_head",
    "format_key_change",
    "format_manifest",
    "format_message_record",
    "format_snapshot",
    "format_status",
    "format_witnessed",
    "open_bundle",
    "parse_bundle_files",
    "parse_manifest",
    "parse_message_line",
    "read_lines",
    "take_content",
]
