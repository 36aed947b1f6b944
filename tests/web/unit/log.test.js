// The log against chance: a server with one person's view of its log, and a connection on which frames are lost, doubled and late.
import assert from "node:assert/strict";
import { it } from "node:test";
import { Log } from "../../../resources/deskbell_resources/web/js/core/log.js";

const WALKS = 400;
const STEPS = 80;

class Walk {
  constructor(seed) {
    this.state = seed;
    this.now = { wall: 0, mono: 0 };
    this.log = new Log("e1", 0);
    Object.assign(this, { head: 0, told: 0, visible: [], air: [], has: [] });
    this.ask(this.log.up());
  }

  /** "mulberry32": the same seed, the same walk. */
  random() {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  one(things) {
    return things[Math.floor(this.random() * things.length)];
  }

  run() {
    const ways = ["commit", "commit", "beat", "deliver", "deliver", "deliver", "trouble", "tick", "reconnect"];
    for (let step = 0; step < STEPS; step += 1) {
      this[this.one(ways)]();
      this.check();
    }
    this.rest();
  }

  /** Nothing new, one `head`, and what the browser asks for by itself: so much must lead to the end. */
  rest() {
    this.beat();
    for (let step = 0; step < 1000 && !(this.log.caughtUp && !this.air.length); step += 1) {
      if (this.air.length) this.deliver();
      else this.tick();
    }
    assert.ok(this.log.caughtUp);
    assert.deepEqual(this.has, this.visible);
  }

  check() {
    assert.ok(this.log.cursor <= this.head);
    assert.deepEqual(
      this.has,
      this.visible.filter((seq) => seq <= this.log.cursor),
    );
  }

  commit() {
    this.head += 1;
    if (this.random() > 0.6) return;
    this.visible.push(this.head);
    this.push({ kind: "message" });
  }

  beat() {
    this.push({});
  }

  push(what) {
    this.air.push({ ...what, epoch: "e1", prev: this.told, seq: this.head });
    this.told = this.head;
  }

  ask(request) {
    if (!request) return;
    const rows = this.visible.filter((seq) => seq > request.after).slice(0, 3);
    const [after, upto] = [request.after, rows.length === 3 ? rows[2] : this.head];
    const events = rows.map((seq) => ({ kind: "message", epoch: "e1", prev: 0, seq }));
    this.air.push({ request, answer: { epoch: "e1", after, upto, head: this.head, events } });
  }

  tick() {
    this.now = { wall: 0, mono: this.now.mono + 30_000 };
    this.ask(this.log.tick(this.now).request);
  }

  /** What was in the air stays there, and comes late. */
  reconnect() {
    if (this.random() < 0.7) return;
    this.log.down();
    this.ask(this.log.up());
  }

  trouble() {
    const frame = this.one(this.air);
    if (!frame) return;
    const what = this.one(["lost", "doubled", "late"]);
    if (what !== "doubled") this.air.splice(this.air.indexOf(frame), 1);
    if (what !== "lost") this.air.push(frame);
    else if (frame.request && this.log.isUnderWay(frame.request)) this.log.failed(this.now);
  }

  deliver() {
    const frame = this.air.shift();
    if (frame?.request) this.answered(frame);
    else if (frame) this.pushed(frame);
  }

  pushed(frame) {
    const { fit, missing } = this.log.pushed([frame]);
    this.has.push(...fit.map(({ seq }) => seq));
    if (missing) this.ask(this.log.ask());
  }

  answered({ request, answer }) {
    if (!this.log.isUnderWay(request)) return;
    const before = this.log.cursor;
    this.has.push(...(this.log.answered(answer)?.fit ?? []).map(({ seq }) => seq));
    this.ask(this.log.goOn(this.now, this.log.cursor > before));
  }
}

it("whatever happens on the way it has all that it may see, in order and once", () => {
  for (let seed = 1; seed <= WALKS; seed += 1) new Walk(seed).run();
});

it("an ack says what the store has, at most every two seconds, and nothing without a connection", () => {
  const log = new Log("e1", 5);
  const at = (mono) => ({ wall: 0, mono });
  log.up();
  log.keptUpTo(7, at(0));
  log.keptUpTo(9, at(1500));
  assert.equal(log.tick(at(1900)).ack, null);
  assert.deepEqual(log.tick(at(2000)).ack, { epoch: "e1", seq: 9 });
  assert.equal(log.tick(at(5000)).ack, null);
  log.keptUpTo(10, at(6000));
  log.down();
  assert.equal(log.tick(at(9000)).ack, null);
});
