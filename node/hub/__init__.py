"""协会枢纽: who is a member, what became of consents, and what each member's log looked like when.

It stands beside the six rooms on ``core``, is off until its operator has recorded a legal basis,
and never sees a payload: neither a subject's id nor its salt is kept.
"""
