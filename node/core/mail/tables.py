"""Table of mails: one row a recipient and day, kept until it was taken or given up.

No text stands here: it is made of a number and an address when it is sent.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table

from node.core.database import metadata
from node.core.fields import SearchableText

mail = Table(
    "mail",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", SearchableText("mail.address"), nullable=False),
    Column("language", String(2), nullable=False),
    Column("made_on", Date, nullable=False),
    Column("waiting", Integer, nullable=False),
    Column("state", String(16), nullable=False),  # due, sent, given-up
    Column("tries", Integer, nullable=False),
    Column("next_at_ms", BigInteger, nullable=False),
    Column("ended_at_ms", BigInteger, nullable=True),
    Column("failure", String(64), nullable=False),  # code of the last try, empty where it went well
    Index("ix_mail_state", "state", "next_at_ms"),
    Index("ix_mail_made", "made_on"),
)
