"""The program's commands, each imported when it is called for: all together take seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

Command = TyperCommand | TyperGroup

# Where a command or a group of commands stands; tests/project imports every one.
COMMANDS: Mapping[str, str] = {
    "init": "node.cli.init:init_app",
    "serve": "node.cli.serve:serve_app",
    "import": "node.records.commands_export:records_app",
    "check": "node.records.commands_export:records_app",
    "rebuild": "node.records.commands_export:records_app",
    "export": "node.records.commands_export:records_app",
    "assess": "node.assessment.commands:assess_app",
    "panel": "node.rating.panel.commands:panel_app",
    "demo": "node.cli.demo:demo_app",
    "enrol": "node.cli.enrol:enrol_app",
    "join": "node.cli.join:join_app",
    "leave": "node.cli.join:join_app",
    "query": "node.cli.query:query_app",
}
GROUPS: Mapping[str, str] = {
    "account": "node.cli.account:account_app",
    "application": "node.assessment.application.commands:application_app",
    "consent": "node.cli.grants:consent_app",
    "contract": "node.records.commands_papers:contract_app",
    "cosign": "node.cli.cosign:cosign_app",
    "cover": "node.records.commands_cover:cover_app",
    "customer": "node.records.commands_customers:customer_app",
    "db": "node.cli.database:db_app",
    "decide": "node.decision.commands:decide_app",
    "delivery": "node.records.commands_papers:delivery_app",
    "governance": "node.cli.governance:governance_app",
    "hub": "node.cli.hub:hub_app",
    "key": "node.cli.keys:key_app",
    "ledger": "node.records.commands_undertakings:ledger_app",
    "model": "node.rating.panel.commands_judging:model_app",
    "rate": "node.rating.commands:rate_app",
    "policy": "node.governance.policies.commands_planning:policy_app",
    "records": "node.records.commands_notice:life_app",
    "listing": "node.assessment.outside.commands:listing_app",
    "log": "node.cli.logs:log_app",
    "mail": "node.cli.mail:mail_app",
    "mapping": "node.records.commands_mapping:mapping_app",
    "audit": "node.cli.audit_report:audit_app",
    "exchange": "node.cli.objections:exchange_app",
    "report": "node.assessment.outside.commands:report_app",
    "risk": "node.risk.commands:risk_app",
    "statement": "node.assessment.statements.commands:statement_app",
    "token": "node.cli.token:token_app",
}


class LazyCommands(MutableMapping[str, Any]):
    """Commands by name; one that is looked up is imported, and stays."""

    def __init__(self) -> None:
        """Import nothing yet."""
        self._loaded: dict[str, Command] = {}

    def __getitem__(self, name: str) -> Command:
        """Return a command, imported if it was not yet."""
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Command) -> None:
        """Put a command in another's place."""
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        """Forget that a command was imported."""
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        """Name the commands in the order in which the help lists them."""
        yield from COMMANDS
        yield from GROUPS

    def __len__(self) -> int:
        """Count the commands."""
        return len(COMMANDS) + len(GROUPS)


class LazyGroup(TyperGroup):
    """The program itself."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  Typer's own
        """Take what Typer gives, but for the commands."""
        super().__init__(**attributes)
        self.commands = LazyCommands()


def _load(name: str) -> Command:
    """Import a command.

    Raises:
        KeyError: There is none of this name.
        TypeError: It is of another kind than all others.
    """
    module, _, attribute = (GROUPS[name] if name in GROUPS else COMMANDS[name]).partition(":")
    found: typer.Typer = getattr(import_module(module), attribute)
    group = get_group(found)
    if name in GROUPS:
        group.name = name
        return group
    command = group.commands[name]
    if not isinstance(command, TyperCommand | TyperGroup):
        raise TypeError(f"{name} is no command of typer's")
    return command
