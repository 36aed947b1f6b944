// What the inbox's log.js makes of the steps in `cases`, and whether it comes through `walks` of chance; evaluated in a page by test_log.py.
async ({ module, cases, walks }) => {
  const { Log } = await import(module);

  const started = ({ epoch, cursor }) => {
    const log = Object.assign(new Log("me"), { epoch, cursor });
    log.connected();
    return log;
  };

  /** After each step: what it returned, where the log stands then, whether it is behind. */
  const played = (begun) => {
    const log = started(begun);
    const requests = [];
    const steps = {
      connected: () => { log.connected(); return null; },
      pushed: (...frames) => frames.map((frame) => log.pushed(frame)),
      ask: () => {
        const request = log.ask();
        if (request) requests.push(request);
        return request;
      },
      failed: (which) => log.failed(requests.at(which)),
      answered: (answer, which) => {
        const found = log.answered(requests.at(which), answer);
        return found && { ...found, events: found.events.map(({ seq }) => seq) };
      },
    };
    return begun.steps.map(([what, ...values]) => [steps[what](...values), log.epoch, log.cursor, log.isBehind]);
  };

  /** A server with one person's view of its log, a connection on which frames are lost, doubled and late and answers fail, and a browser. */
  class Walk {
    constructor(seed) {
      this.state = seed;
      this.log = started({ epoch: "e1", cursor: 0 });
      [this.head, this.told, this.visible, this.air, this.has, this.due] = [0, 0, [], [], [], false];
      this.ask();
    }

    /** "mulberry32": the same seed, the same walk. */
    random() {
      this.state = (this.state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    }

    one(things) { return things[Math.floor(this.random() * things.length)]; }

    /** Nothing wrong, or what is. */
    run(steps) {
      const ways = ["commit", "commit", "beat", "deliver", "deliver", "deliver", "trouble", "tick", "reconnect"];
      for (let step = 0; step < steps; step += 1) {
        this[this.one(ways)]();
        if (!this.isRight()) return `step ${step}: ${this.has} of ${this.visible} at ${this.log.cursor}`;
      }
      return this.rest();
    }

    /** Nothing new, one `head`, and what the browser asks for by itself: so much must lead to the end. */
    rest() {
      this.beat();
      for (let step = 0; step < 1000 && (this.air.length || this.due); step += 1) {
        if (this.air.length) this.deliver();
        else this.tick();
      }
      const ended = this.isRight() && !this.log.isBehind && this.has.length === this.visible.length;
      return ended ? "" : `rest: ${this.has} of ${this.visible} at ${this.log.cursor}`;
    }

    isRight() {
      const { cursor } = this.log;
      return cursor <= this.head && String(this.has) === String(this.visible.filter((seq) => seq <= cursor));
    }

    commit() {
      this.head += 1;
      if (this.random() > 0.6) return;
      this.visible.push(this.head);
      this.push({ kind: "message" });
    }

    beat() { this.push({}); }

    push(what) {
      this.air.push({ ...what, epoch: "e1", prev: this.told, seq: this.head });
      this.told = this.head;
    }

    ask() {
      const request = this.log.ask();
      if (!request) return;
      const rows = this.visible.filter((seq) => seq > request.after).slice(0, 3);
      const [after, upto] = [request.after, rows.length === 3 ? rows[2] : this.head];
      const events = rows.map((seq) => ({ kind: "message", epoch: "e1", prev: 0, seq }));
      this.air.push({ request, answer: { epoch: "e1", after, upto, head: this.head, events } });
    }

    tick() {
      if (this.due) this.ask();
      this.due = false;
    }

    /** What was in the air stays there, and comes late. */
    reconnect() {
      if (this.random() < 0.7) return;
      this.log.connected();
      this.ask();
    }

    trouble() {
      const frame = this.one(this.air);
      if (!frame) return;
      const what = this.one(["lost", "doubled", "late"]);
      if (what !== "doubled") this.air.splice(this.air.indexOf(frame), 1);
      if (what !== "lost") this.air.push(frame);
      else if (frame.request && this.log.failed(frame.request)) this.due = true;
    }

    deliver() {
      const frame = this.air.shift();
      if (frame?.request) this.answered(frame);
      else if (frame) this.pushed(frame);
    }

    pushed(frame) {
      const found = this.log.pushed(frame);
      if (found === "next" && frame.kind) this.has.push(frame.seq);
      if (found === "missing") this.ask();
    }

    answered({ request, answer }) {
      const before = this.log.cursor;
      this.has.push(...(this.log.answered(request, answer)?.events ?? []).map(({ seq }) => seq));
      if (!this.log.isBehind) return;
      if (this.log.cursor > before) this.ask();
      else this.due = true;
    }
  }

  const wrong = Array.from({ length: walks }, (_, seed) => new Walk(seed + 1).run(80));
  return { cases: cases.map(played), wrong: wrong.filter(Boolean) };
}
