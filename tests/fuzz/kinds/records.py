"""What is stored, damaged: fields that are missing or of another type, chunks that are cut."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.fuzz.bases import files_of
from tests.fuzz.case import Case, Edit
from tests.fuzz.edits import ODD, json_path
from tests.fuzz.lab import Lab, judge
from tests.fuzz.oracle import Oracle
from tests.store.support import give_files

MODEL = "test/stored"
MINE = "mine"

#: Fills the database, and shows what is in it; bytes are shown by their number.
SETUP = """
    const { models } = await t.lib();
    await models.remove();
    await models.prefetch(arg[0], { dtype: 'fp32' });
    await models.add(arg[1], globalThis.given);
    t.full = await t.snapshot();
    const shown = t.full.map(([name, rows]) => [name, rows.map(([, record]) => record)]);
    const numbers = (key, value) => (value instanceof ArrayBuffer ? value.byteLength : value);
    return JSON.parse(JSON.stringify(shown, numbers));"""

#: All that can be done with what is stored; each step must end by itself.
STEPS = """
    const { models } = await t.lib();
    await t.restore(t.full);
    for (const edit of arg.edits) await t.spoil(...edit);
    const steps = {
      list: () => models.list(),
      usage: () => models.usage(),
      prefetch: () => models.prefetch(arg.model, { dtype: 'fp32' }),
      digest: () => t.digest(arg.model, 'fp32'),
      mine: () => t.digest(arg.mine, 'fp32'),
      export: async () => (await models.export(arg.mine)).size,
      'list again': () => models.list(),
      'remove mine': () => models.remove(arg.mine),
      'remove all': () => models.remove(),
    };
    const ended = {};
    for (const [name, step] of Object.entries(steps)) {
      t.asked = name;
      ended[name] = { ...(await t.outcome(step)), at: name };
      t.endWorkers();
    }
    return ended;"""


class Records:
    """Damaged records are healed, or refused; a model is never opened with other bytes."""

    def __init__(self, lab: Lab, _oracle: Oracle) -> None:
        self._lab = lab
        lab.publish(MODEL, files_of("bert"))
        self._right: Any = None

    def make(self, rng: Random) -> Case:
        stores = [(name, records) for name, records in self._filled() if records]
        edits: list[Edit] = []
        for _ in range(rng.choice([1, 1, 2, 4])):
            name, records = rng.choice(stores)
            place = rng.randrange(len(records))
            verb = rng.choice(["put", "put", "drop", "delete", "cut"])
            path = json_path(rng, records[place])
            value = rng.choice(ODD) if verb == "put" else rng.choice([0, 1, 1000])
            edits.append([name, place, verb, path or ["key"], value])
        return Case("records", rng.choice(["host up", "host up", "host down"]), edits)

    def run(self, case: Case) -> str:
        self._filled()
        self._lab.hub.down = case.base == "host down"
        given = {"edits": case.edits, "model": MODEL, "mine": MINE}
        outcome = self._lab.run(STEPS, given)
        self._lab.hub.down = False
        if "value" not in outcome:
            return judge(outcome) or self._lab.complaint()
        wrong = [judge(step) for step in outcome["value"].values()]
        wrong += [self._lab.complaint(), *self._judge(outcome["value"])]
        return next(filter(None, wrong), "")

    def _judge(self, ended: dict[str, Any]) -> list[str]:
        wrong = []
        for name in ("digest", "mine"):
            value = ended[name].get("value")
            if value is not None and value != self._right:
                wrong.append(f"{name}: the model is opened with other bytes")
        for name in ("list", "list again"):
            ids = [model.get("id") for model in ended[name].get("value") or []]
            if not all(isinstance(one, str) for one in ids) or len(set(ids)) < len(ids):
                wrong.append(f"{name}: names that are none, or twice the same: {ids}"[:200])
        size = ended["export"].get("value")
        if size is not None and size < sum(map(len, files_of("bert").values())):
            wrong.append("export: a model without some of its files")
        failed = [name for name in ("remove mine", "remove all") if "error" in ended[name]]
        return wrong + [f"{name} fails: {ended[name]['error']['message']}" for name in failed]

    def _filled(self) -> list[Any]:
        """The stores of the page's database and their records; fills them if the page is new."""
        self._lab.hub.reset()
        if self._lab.run("return Boolean(t.full)").get("value") is not True:
            give_files(self._lab.page, files_of("bert"))
            outcome = self._lab.run(SETUP, [MODEL, MINE])
            self._stores = outcome["value"]
            right = self._lab.run("return t.digest(arg, 'fp32')", MODEL)
            self._right = right["value"]
            self._lab.run("t.endWorkers()")
        stores: list[Any] = self._stores
        return stores
