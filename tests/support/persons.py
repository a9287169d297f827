"""Principals of persons for tests."""

from __future__ import annotations

from node.core.people.service import Principal, Role


def person(name: str, role: Role = Role.CREDIT_MANAGER) -> Principal:
    return Principal(who=f"token {name}", name=name, role=role, scopes=frozenset())
