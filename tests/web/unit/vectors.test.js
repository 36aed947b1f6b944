// The shared vectors on the browser's core; and on cores in which one rule is broken, which the vectors must tell from the right one.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { CORE, playLog, playOutbox, playRings, vectors, wantedOfLog } from "./drivers.js";
import { MUTANTS } from "./mutants.js";

const wantedOfOutbox = ({ steps }) => steps.map(({ sends = [], states }) => ({ sends, ...(states && { states }) }));
const wantedOfRings = ({ steps }) =>
  steps.map(({ rings, withdraws, counts }) => ({
    ...(rings && { rings }),
    ...(withdraws && { withdraws }),
    ...(counts && { counts }),
  }));

/** The states of what a step does not speak of are not looked at. */
const asAsked = (play) => (module, vector) =>
  play(module, vector).map(({ sends, states }, at) => ({ sends, ...(vector.steps[at].states && { states }) }));

const KINDS = {
  log: { play: playLog, wanted: wantedOfLog },
  outbox: { play: asAsked(playOutbox), wanted: wantedOfOutbox },
  rings: { play: playRings, wanted: wantedOfRings },
};

for (const [kind, { play, wanted }] of Object.entries(KINDS)) {
  describe(kind, async () => {
    const right = await import(new URL(`${kind}.js`, CORE));
    for (const vector of vectors(kind)) {
      it(vector.name, () => assert.deepEqual(play(right, vector), wanted(vector)));
    }
  });

  describe(`${kind} with a rule broken`, () => {
    const source = readFileSync(new URL(`${kind}.js`, CORE), "utf8");
    const killed = new Map();
    let folder;
    before(async () => {
      folder = mkdtempSync(join(tmpdir(), "deskbell-core-"));
      cpSync(fileURLToPath(CORE), join(folder, "core"), { recursive: true });
      cpSync(fileURLToPath(new URL("../protocol.js", CORE)), join(folder, "protocol.js"));
      writeFileSync(join(folder, "package.json"), '{"type": "module"}');
      for (const [number, [name, [rule, broken]]] of Object.entries(MUTANTS[kind]).entries()) {
        assert.equal(source.split(rule).length, 2, `${name}: the rule stands once in the source`);
        const file = join(folder, "core", `${kind}-${number}.js`);
        writeFileSync(
          file,
          source.replace(rule, () => broken),
        );
        const module = await import(pathToFileURL(file));
        const failing = vectors(kind).filter((vector) => fails(play, module, vector, wanted));
        killed.set(
          name,
          failing.map((vector) => vector.name),
        );
      }
    });
    after(() => rmSync(folder, { recursive: true }));
    for (const name of Object.keys(MUTANTS[kind])) {
      it(name, () => assert.notDeepEqual(killed.get(name), []));
    }
    it("each vector can fail", () => {
      const able = new Set([...killed.values()].flat());
      assert.deepEqual(
        vectors(kind)
          .map(({ name }) => name)
          .filter((name) => !able.has(name)),
        [],
      );
    });
  });
}

function fails(play, module, vector, wanted) {
  try {
    assert.deepEqual(play(module, vector), wanted(vector));
    return false;
  } catch {
    return true;
  }
}
