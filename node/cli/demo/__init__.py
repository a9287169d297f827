"""``chengxin demo``: a whole federation on loopback, from records to an audit, step by step."""

from node.cli.demo.command import demo_app

__all__ = ["demo_app"]
