"""The console of a node whose customer is the subject, with the pages of subjects."""

from __future__ import annotations

from pathlib import Path

from tests.support.exchanges import build_scene
from tests.support.nodes import SUBJECT
from tests.support.scene_console import SceneConsole


def build_subject_site(folder: Path, *, member_count: int = 3) -> SceneConsole:
    """Return the site of a consumer whose customer is the subject; its provider knows it too."""
    scene = build_scene(folder, member_count=member_count)
    scene.consumer.local.records.add_customer(
        scheme=SUBJECT.scheme, value=SUBJECT.value, name="Hongda 宏达", country="CN"
    )
    return SceneConsole(scene=scene, member=scene.consumer)
