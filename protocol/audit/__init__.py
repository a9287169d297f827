"""The offline audit of bundles: proven, contradicted, undetermined (docs/auditing.md).

In this order: the registry chain from the anchor · every log against its checkpoint · every signed
head from anywhere against the exported entries · every exchange, joined from both logs and both
sides' messages · every use of a consent in the order of the provider's log. No network, no clock,
nothing trusted but the anchor. Content of a bundle never raises: what is malformed is a finding.
"""

from protocol.audit.auditor import audit_bundles

__all__ = ["audit_bundles"]
