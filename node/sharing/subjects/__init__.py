"""What a subject does on a consumer's node: read what is asked of it, sign, see, withdraw.

Nobody is signed in here as a person of the member. A request is opened by a one-time code, the
subject's own page by a proof that its key is in hand. The key never comes to the node.
"""
