// What the browser's core does alone: the inbox, reading, the end of a connection, a shelf that is full or shared with another tab.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { groupOf, partyOf } from "../../../resources/deskbell_resources/web/js/core/conversations.js";
import { around, search } from "../../../resources/deskbell_resources/web/js/core/finding.js";
import { Inbox } from "../../../resources/deskbell_resources/web/js/core/inbox.js";
import { first } from "../../../resources/deskbell_resources/web/js/core/moment.js";
import { Outbox } from "../../../resources/deskbell_resources/web/js/core/outbox.js";
import { Reconnect } from "../../../resources/deskbell_resources/web/js/core/reconnect.js";
import { ReadReports } from "../../../resources/deskbell_resources/web/js/core/reports.js";
import { LIMITS } from "../../../resources/deskbell_resources/web/js/protocol.js";

const [ME, BOB] = ["me", "bob"].map((id) => ({ id, name: id }));
const OPS = { id: "ops", name: "@ops", kind: "group" };
const at = (mono) => ({ wall: 1_800_000_000_000 + mono, mono });

const said = (seq, from, to, more = {}) => ({
  ...{ epoch: "e1", prev: seq - 1, seq, kind: "message", id: `e1.${seq}`, at: seq },
  data: { from, to: [to], body: `body ${seq}`, ...more },
});
const read = (seq, data) => ({ epoch: "e1", prev: seq - 1, seq, kind: "read", id: `e1.${seq}`, at: seq, data });

function filled(...events) {
  const inbox = new Inbox("me");
  for (const event of events) inbox.apply(event);
  return inbox;
}

describe("conversations", () => {
  it("a message belongs to its group, to whom I wrote it, or to its sender", () => {
    assert.equal(partyOf({ from: BOB, to: [OPS] }, "me"), OPS);
    assert.equal(partyOf({ from: ME, to: [BOB] }, "me"), BOB);
    assert.equal(partyOf({ from: BOB, to: [ME] }, "me"), BOB);
    assert.equal(groupOf([OPS, BOB]), null);
  });
});

describe("inbox", () => {
  it("what others write is unread, also what I write to myself", () => {
    const inbox = filled(said(1, BOB, ME), said(2, ME, BOB), said(3, ME, ME));
    assert.deepEqual([...inbox.unread], ["e1.1", "e1.3"]);
  });

  it("the newest conversation stands first, and of one moment the later in the log", () => {
    const [one, two] = [said(1, BOB, ME), { ...said(2, BOB, OPS), at: 1 }];
    assert.deepEqual(
      filled(one, two)
        .sorted()
        .map(({ id }) => id),
      ["ops", "bob"],
    );
  });

  it("a read mark reads up to a place, or what it names", () => {
    const inbox = filled(said(1, BOB, ME), said(2, BOB, OPS), said(3, BOB, ME));
    assert.deepEqual(inbox.apply(read(4, { up_to: 1 })).read, ["e1.1"]);
    inbox.apply(read(5, { ids: ["e1.3", "e1.99"] }));
    assert.deepEqual([...inbox.unread], ["e1.2"]);
    assert.equal(inbox.conversations.get("bob").unread.size, 0);
  });

  it("places of a log that is over mean nothing to a read mark", () => {
    const inbox = filled(said(1, BOB, ME));
    inbox.startOver();
    inbox.apply(read(9, { up_to: 9 }));
    assert.deepEqual([...inbox.unread], ["e1.1"]);
  });

  it("a message that comes again is one, and stands where it stands now", () => {
    const inbox = filled(said(1, BOB, ME));
    inbox.startOver();
    assert.equal(inbox.apply({ ...said(7, BOB, ME), id: "e1.1" }).fresh, false);
    assert.deepEqual(
      [...inbox.messages.values()].map(({ seq }) => seq),
      [7],
    );
  });

  it("what cannot be read, or is of an unknown kind, stops nothing", (context) => {
    context.mock.method(console, "error", () => {});
    const inbox = filled({ ...said(1, BOB, ME), data: {} }, { ...said(2, BOB, ME), kind: "new" }, said(3, BOB, ME));
    assert.deepEqual([...inbox.messages.keys()], ["e1.3"]);
  });

  it("a conversation is called as its party is called now", () => {
    const inbox = filled(said(1, BOB, ME), said(2, { ...BOB, display: "Bob Stone" }, ME));
    assert.equal(inbox.conversations.get("bob").title, "Bob Stone");
  });

  it("a search finds people by name and messages by what they say, newest first", () => {
    const inbox = filled(said(1, BOB, ME, { body: "lunch" }), said(2, BOB, ME, { body: "ＬＵＮＣＨ, later" }));
    const found = search(inbox, "lunch");
    assert.deepEqual(
      found.messages.map(({ id }) => id),
      ["e1.2", "e1.1"],
    );
    assert.deepEqual(
      search(inbox, "bo").people.map(({ id }) => id),
      ["bob"],
    );
    assert.match(around(`${"word ".repeat(40)}lunch`, "lunch"), /^….*lunch$/);
  });
});

describe("reading", () => {
  it("is told in batches, one at a time, until the server has it", () => {
    const reports = new ReadReports();
    const ids = Array.from({ length: LIMITS.READ_IDS + 5 }, (_, number) => `e1.${number}`);
    assert.equal(reports.add(ids), null);
    assert.deepEqual(reports.up(), ids.slice(0, LIMITS.READ_IDS));
    assert.equal(reports.add(["e1.999"]), null);
    assert.deepEqual(reports.answered(ids.slice(0, LIMITS.READ_IDS), null, at(0)), [...ids.slice(-5), "e1.999"]);
  });

  it("what was refused for good is told no more, and anything else again", () => {
    const reports = new ReadReports();
    reports.up();
    const ids = reports.add(["e1.1"]);
    assert.equal(reports.answered(ids, "unavailable", at(0)), null);
    assert.equal(reports.tick(at(9000)), null);
    assert.deepEqual(reports.tick(at(first(reports.dues))), ["e1.1"]);
    assert.equal(reports.answered(ids, "not_found", at(20_000)), null);
    assert.deepEqual([reports.dues, reports.up()], [[], null]);
  });
});

describe("the end of a connection", () => {
  const after = (end, chance = 1) => new Reconnect().ended(end, chance);

  it("which is fatal is the last", () => {
    for (const code of ["revoked", "unauthorized", "upgrade_required"]) assert.equal(after({ code }), null);
    assert.equal(after({ code: "invalid", fatal: true }), null);
    assert.equal(after({ code: "a code of later", fatal: true }), null);
  });

  it("which is not fatal leads to another, whatever its code", () => {
    for (const code of ["forbidden", "not_found", "unavailable", "too_many", undefined]) assert.ok(after({ code }) > 0);
  });

  it("is followed by ever longer waits up to half a minute, until one connects", () => {
    const reconnect = new Reconnect();
    const waits = Array.from({ length: 9 }, () => reconnect.ended({}, 1));
    assert.deepEqual(waits.slice(0, 3), [600, 1100, 2100]);
    assert.equal(waits.at(-1), 30_100);
    reconnect.connected();
    assert.equal(reconnect.ended({}, 1), 600);
  });

  it("is waited for as the server says, and a minute where it is busy", () => {
    assert.equal(after({ code: "unavailable", after: 2000 }, 0), 2100);
    assert.equal(after({ code: "busy" }), 60_100);
  });
});

describe("the outbox", () => {
  const party = [{ id: "a", name: "a" }];
  const written = (cid) => ({ cid, conversation: "a", parties: party, draft: { body: "x", to: ["a"] } });

  /** A shelf with room for so many characters, which other tabs see too. */
  class Shelf {
    constructor(room = Number.POSITIVE_INFINITY) {
      this.room = room;
      this.items = [];
    }

    read() {
      return structuredClone(this.items);
    }

    write(items) {
      if (JSON.stringify(items).length > this.room) return false;
      this.items = structuredClone(items);
      return true;
    }
  }

  it("says where there is no room for what was written", () => {
    const outbox = new Outbox(new Shelf(10));
    assert.equal(outbox.add(written("1"), at(0)), false);
    assert.deepEqual(outbox.list(), []);
  });

  it("remembers what became of one, where there is no room to note it", () => {
    const shelf = new Shelf();
    const outbox = new Outbox(shelf);
    outbox.up(at(0));
    outbox.add(written("1"), at(0));
    outbox.send(at(0));
    shelf.room = JSON.stringify(shelf.items).length;
    outbox.refused("1", { code: "invalid" }, at(1));
    assert.deepEqual([shelf.items[0].problem, outbox.failed().length], ["", 1]);
    assert.deepEqual(outbox.send(at(2)), []);
    shelf.room = 10_000;
    outbox.retry("1", at(3));
    assert.deepEqual([shelf.items[0].problem, outbox.send(at(3)).length], ["", 1]);
  });

  it("takes what another tab has written, and what it has sent is gone here too", () => {
    const shelf = new Shelf();
    const [here, there] = [new Outbox(shelf), new Outbox(shelf)];
    here.up(at(0));
    there.add(written("1"), at(0));
    assert.equal(here.send(at(0)).length, 1);
    there.echoed("1");
    assert.deepEqual(here.list(), []);
    here.refused("1", { code: "offline" }, at(1));
    assert.deepEqual([here.send(at(1)), here.list(), here.dues], [[], [], []]);
  });
});
