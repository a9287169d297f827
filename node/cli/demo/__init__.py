"""``chengxin demo``: a whole federation on loopback, from real files to an audit, shown step by step."""

from node.cli.demo.command import demo_app

__all__ = ["demo_app"]
