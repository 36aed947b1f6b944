// Plays the shared vectors (tests/protocol/vectors) on the browser's core: what each step leads to, in the words of the vectors.
import { readFileSync } from "node:fs";

const VECTORS = new URL("../../protocol/vectors/", import.meta.url);
export const CORE = new URL("../../../resources/deskbell_resources/web/js/core/", import.meta.url);

export const vectors = (name) => JSON.parse(readFileSync(new URL(`${name}.json`, VECTORS), "utf8"));

/** Both clocks of a computer. */
class Clock {
  constructor(wall = 1_800_000_000_000) {
    this.now = { wall, mono: 1_000_000 };
  }

  pass(ms) {
    this.now = { wall: this.now.wall + ms, mono: this.now.mono + ms };
  }
}

const seqsOf = (events) => events.map(({ seq }) => seq);

// -- log

function frames(given) {
  if (given.each) {
    const [from, to] = given.each;
    return Array.from({ length: to - from }, (_, at) => event(from + at, from + at + 1, "e1", given.bytes));
  }
  if (given.head) return [{ epoch: "e1", prev: given.head[0], seq: given.head[1] }];
  const [prev, seq, epoch = "e1"] = given;
  return [event(prev, seq, epoch)];
}

const event = (prev, seq, epoch, bytes = 0) => ({
  ...{ epoch, prev, seq, kind: "message", id: `${epoch}.${seq}`, at: 0 },
  data: { body: "x".repeat(bytes) },
});

function answerOf({ epoch = "e1", after, upto, head = upto, seqs = [], reset = false }) {
  const events = seqs.map((row) => (Array.isArray(row) ? event(0, row[0], row[1]) : event(0, row, epoch)));
  return { ok: true, epoch, after, upto, head, events, reset };
}

export function playLog({ Log }, { epoch, cursor, steps }) {
  const clock = new Clock();
  const log = new Log(epoch, cursor);
  let [request, last, ask] = [null, null, null];
  const asks = (made) => {
    if (made) [request, ask] = [made, [made.epoch, made.after]];
    return {};
  };
  const play = {
    up: () => asks(log.up()),
    down: () => {
      last = request;
      log.down();
      return {};
    },
    push: (step) => {
      const { fit, missing } = log.pushed(step.frames.flatMap(frames));
      if (missing) asks(log.ask());
      return { applies: seqsOf(fit) };
    },
    answer: (step) => {
      const before = [log.epoch, log.cursor].join();
      const found = log.answered(answerOf(step));
      asks(log.goOn(clock.now, Boolean(found?.over) || [log.epoch, log.cursor].join() !== before));
      return { applies: seqsOf(found?.fit ?? []), over: found?.over ?? false };
    },
    late: (step) => (log.isUnderWay(last) ? { applies: seqsOf(log.answered(answerOf(step))?.fit ?? []) } : {}),
    fail: ({ retry_after_s = null }) => {
      log.failed(clock.now, retry_after_s && retry_after_s * 1000);
      return {};
    },
    wait: ({ ms }) => {
      clock.pass(ms);
      return asks(log.tick(clock.now).request);
    },
  };
  return steps.map((step) => {
    ask = null;
    const { applies = [], over = false } = play[step.do](step);
    return { applies, over, asks: ask, epoch: log.epoch, cursor: log.cursor, caught_up: log.caughtUp };
  });
}

export function wantedOfLog({ epoch, steps }) {
  let now = epoch;
  return steps.map(({ applies = [], over = false, asks = null, cursor, caught_up = false, epoch_then }) => {
    now = epoch_then ?? now;
    return { applies, over, asks, epoch: now, cursor, caught_up };
  });
}

// -- outbox

const stateOf = ({ problem, stored }) => (problem ? "failed" : stored ? "sent" : "queued");

export function playOutbox({ Outbox }, { wall, steps }) {
  const clock = new Clock(wall);
  let items = [];
  const shelf = {
    read: () => items.map((item) => ({ ...item })),
    write: (given) => {
      items = given.map((item) => ({ ...item }));
      return true;
    },
  };
  let outbox = new Outbox(shelf);
  let sent = [];
  const send = () => sent.push(...outbox.send(clock.now).map(({ cid }) => cid));
  const play = {
    write: ({ cid, to, reply_to }) => {
      const draft = { body: "x", ...(reply_to ? { reply_to } : { to: [to] }) };
      outbox.add({ cid, conversation: to, parties: [{ id: to, name: to }], draft }, clock.now);
    },
    up: () => outbox.up(clock.now),
    down: () => outbox.down(),
    answer: ({ cid, seq }) => outbox.answered(cid, seq),
    refuse: ({ cid, code, retry_after_s = null }) => outbox.refused(cid, { code, retry_after_s }, clock.now),
    echo: ({ cid }) => outbox.echoed(cid),
    settle: ({ cursor }) => outbox.settle(cursor),
    start_over: () => outbox.startOver(),
    retry: ({ cid }) => outbox.retry(cid, clock.now),
    discard: ({ cid }) => outbox.discard(cid),
    wall: ({ ms }) => {
      clock.now = { ...clock.now, wall: clock.now.wall + ms };
    },
    restart: () => {
      clock.now = { ...clock.now, mono: 0 };
      outbox = new Outbox(shelf);
    },
    wait: ({ ms }) => {
      const end = clock.now.mono + ms;
      for (let due = Math.min(...outbox.dues); due <= end; due = Math.min(...outbox.dues)) {
        clock.pass(Math.max(due - clock.now.mono, 0));
        send();
      }
      clock.pass(end - clock.now.mono);
    },
  };
  return steps.map((step) => {
    sent = [];
    play[step.do](step);
    send();
    return { sends: sent, states: Object.fromEntries(outbox.list().map((item) => [item.cid, stateOf(item)])) };
  });
}

// -- rings

export function playRings({ Rings, SUMMARY }, { steps }) {
  const clock = new Clock();
  const rings = new Rings();
  const unread = new Set();
  const messages = (given) =>
    given.map(({ id, in: conversation, publish, priority = "normal" }) => {
      unread.add(id);
      return { id, conversation, publish, priority };
    });
  const play = {
    push: (step) => {
      const shown = messages(step.messages).map((message) => {
        const ids = rings.add(message, true);
        return ids && rings.show(message, ids, clock.now);
      });
      return { rings: shown.filter((popup) => popup && popup.key !== SUMMARY).map(({ id }) => id) };
    },
    read: ({ ids }) => {
      for (const id of ids) unread.delete(id);
      return { withdraws: rings.read(unread).sort() };
    },
    wait: ({ ms }) => {
      clock.pass(ms);
      return {};
    },
    missed: (step) => ({ counts: rings.missed(messages(step.messages))?.count ?? 0 }),
  };
  return steps.map((step) => play[step.do](step));
}
