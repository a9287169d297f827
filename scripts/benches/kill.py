"""Kill consumer and provider processes under load, again and again, and audit what is left.

Two members and a hub run as processes of their own. While questions are asked, one member or both
are killed (SIGKILL) at moments drawn from a seed: under load, while starting, in the middle of a
commit. Then everything is settled, stopped in good order, exported and audited:

- every answer that was acknowledged to an operator is in both logs;
- every head that was ever seen is a prefix of the final log (no fork), and all entries verify;
- an ask in doubt is settled with the answer that the provider had stored, and settles so again;
- each question counts once.

``scripts/bench kill --kills 100 --seed 1 --json``; with ``--goverify PATH`` the independent
verifier judges the exported logs too.
"""

from __future__ import annotations

import argparse
import json
import random  # noqa: TID251  a schedule of kills from a seed, no secret
import sys
import tempfile
import time
from math import inf
from pathlib import Path
from typing import Any

from sqlalchemy import select

from node.cli.http import open_client
from node.sharing.store.due import DueStore
from node.sharing.tables import exchange_in
from protocol.encoding import encode_b64u
from scripts.benches.kill_judge import judge
from scripts.benches.kill_scene import Load, NotKeptError, Scene, build_scene, open_both

READY_SHARE = 0.7  # of the kills; the others may come in the middle of a start
KILLS_A_SETTLING = 10  # a message lives 300 s
VICTIMS = ("consumer", "provider", "both")


def kill_under_load(scene: Scene, *, kills: int, seed: int, seconds: float) -> Load:
    """Kill one member or both at moments drawn from the seed, and settle what that left open."""
    end = time.monotonic() + seconds
    draw = random.Random(seed)  # noqa: S311  as above
    sides = {"consumer": [scene.consumer], "provider": [scene.provider]}
    sides["both"] = [scene.consumer, scene.provider]
    with Load(scene.consumer.settings, scene.consents) as load:
        for number in range(1, kills + 1):
            if time.monotonic() > end:
                break
            scene.kills = number
            victims = sides[draw.choice(VICTIMS)]
            if draw.random() < READY_SHARE:
                for side in (scene.consumer, scene.provider):
                    side.wait_until_ready()
                    side.note_head()
            time.sleep(draw.uniform(0, 1.5))
            for side in victims:
                side.note_head()
                side.kill()
            for side in victims:
                side.start()
            if number % KILLS_A_SETTLING == 0:
                settle_all(scene)
    settle_all(scene)
    return load


def settle_all(scene: Scene) -> None:
    """Ask again, with the same bytes, whatever got no answer; twice, and compare.

    Raises:
        NotKeptError: A question was settled with another answer than the stored one.
    """
    for side in (scene.consumer, scene.provider):
        side.wait_until_ready()
        side.note_head()
    client = open_client(scene.consumer.settings)
    for jti in list_open(scene):
        stored = find_stored_answer(scene, jti)
        path = f"/api/v1/asks/{encode_b64u(jti)}/settle"
        outcome = client.post(path)
        again = client.post(path)
        scene.settled["had an answer" if stored else "had none"] += 1
        if stored and outcome["answer"] != encode_b64u(stored):
            raise NotKeptError(f"{encode_b64u(jti)} was settled with another answer")
        if again["answer"] != outcome["answer"]:
            raise NotKeptError(f"{encode_b64u(jti)} was settled twice, and differently")
    client.close()


def list_open(scene: Scene) -> list[bytes]:
    """Return the consumer's questions without a reply."""
    with open_both(scene) as (ours, _theirs):
        return [one.jti for one in DueStore(ours.connection).list_open(op="query", limit=10_000)]


def find_stored_answer(scene: Scene, jti: bytes) -> bytes | None:
    """Return the hash of the answer that the provider has stored for a question."""
    with open_both(scene) as (_ours, theirs):
        query = select(exchange_in.c.ans).where(exchange_in.c.jti == jti)
        found: bytes | None = theirs.connection.execute(query).scalar_one_or_none()
        return found


def run_kills(
    folder: Path,
    *,
    kills: int,
    seed: int,
    seconds: float = inf,
    goverify: Path | None = None,
) -> dict[str, Any]:
    """Do it all in an empty folder; return what was found.

    Raises:
        NotKeptError: A promise does not hold.
    """
    begun = time.monotonic()
    scene = build_scene(folder)
    try:
        load = kill_under_load(scene, kills=kills, seed=seed, seconds=seconds)
        found = judge(scene, load, folder=folder, goverify=goverify)
    finally:
        scene.stop()
    return {"kills": scene.kills, "seed": seed, **found, "seconds": round(time.monotonic() - begun)}


def main() -> None:
    """Parse, kill, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=inf, help="kill for so long at most")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--goverify", type=Path, default=None, help="the built verifier")
    parser.add_argument("--folder", type=Path, default=None, help="a folder on a real disk")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    args = parser.parse_args()
    folder = args.folder or Path.cwd() / ".bench"
    folder.mkdir(exist_ok=True)
    seed = random.SystemRandom().randrange(2**32) if args.seed is None else args.seed
    print(f"seed {seed}", file=sys.stderr)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        found = run_kills(
            Path(place), kills=args.kills, seed=seed, seconds=args.seconds, goverify=args.goverify
        )
    if args.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:>16}  {value}")


if __name__ == "__main__":
    main()
