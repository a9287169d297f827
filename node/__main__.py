"""``python -m node`` is ``chengxin``."""

from node.cli.main import run

if __name__ == "__main__":
    run()
