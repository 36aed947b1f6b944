// The person's log as state: where this browser stands in it, messages by conversation, and what of them is unread. No network, no page, no clock.
// The rules of the place are those of the desktop program (core/log.py).
import { LIMITS } from "../protocol.js";
import { labelOf, oneLine, sizeOf } from "./text.js";

/** The group that these parties are; null where they are anything else. */
export const groupOf = (parties) => (parties.length === 1 && parties[0].kind === "group" ? parties[0] : null);

/** With whom a message is exchanged: its group, the one I wrote it to, or its sender. The rule of the protocol, the same in every client. */
const partyOf = ({ to, from }, me) => (groupOf(to) || from.id === me ? (to[0] ?? from) : from);

export class Log {
  #asked = null; // the sync under way
  #rest = false; // the last answer was not the end of the log
  #told = false; // what is missing before the rest was told: each answer on the way to the end says it again
  #foreign = false; // something of another epoch came, which the sync under way may not know yet
  #beyond = 0; // the furthest place of this epoch that was heard of
  #held = new Map(); // by place: events before which something is missing
  #heldBytes = 0;

  constructor(me) {
    this.me = me;
    this.epoch = null;
    this.cursor = 0;
    this.messages = new Map();
    this.conversations = new Map();
    this.unread = new Set();
  }

  // -- the place

  /** On a fresh socket: what was asked on the last one is void, and so is what came there too early. */
  connected() {
    this.#asked = null;
    this.#rest = false;
    this.#told = false;
    this.#foreign = false;
    this.#beyond = this.cursor;
    this.#letGo();
  }

  /** The next sync, `{epoch, after}`; null while one is under way. */
  ask() {
    if (this.#asked) return null;
    this.#foreign = false;
    this.#asked = { epoch: this.epoch, after: this.cursor };
    return this.#asked;
  }

  /** `request` was refused or not answered. Whether it was the one under way: another is due then. */
  failed(request) {
    if (request !== this.#asked) return false;
    this.#asked = null;
    this.#rest = true;
    return true;
  }

  /** Whether there is more than what came so far. */
  get isBehind() {
    return this.#rest || this.#foreign || this.#beyond > this.cursor;
  }

  /** Takes an event or a head: "next" where the cursor is at it now, "old", or "missing" where a sync is due before it. */
  pushed(frame) {
    if (frame.epoch !== this.epoch) {
      this.#foreign ||= this.#asked !== null;
      return "missing";
    }
    if (frame.seq <= this.cursor) return "old";
    this.#beyond = Math.max(this.#beyond, frame.seq);
    if (frame.prev <= this.cursor) {
      this.cursor = frame.seq;
      return "next";
    }
    if (frame.kind) this.#hold(frame);
    return "missing";
  }

  /**
   * Takes the answer to `request`: `{over, begins, events}`, the events that continue the log. Before them something is missing where it is
   * `over`; where it `begins`, they are the first of a log that begins at the answer's `after`. Null for an answer that says nothing of this log.
   */
  answered(request, answer) {
    if (request !== this.#asked) return null;
    this.#asked = null;
    const { epoch, after, upto, head, events, reset: over = false } = answer;
    const own = epoch === this.epoch;
    const begins = own ? over && after !== request.after : over || (this.epoch === null && after === request.after);
    const fits = begins || (own && after <= this.cursor);
    this.#rest = !fits || upto < head || (own && begins); // what was pushed meanwhile was taken for old
    if (!fits) return null;
    const isNew = over && (begins || !this.#told);
    this.#told = this.#rest && (this.#told || over);
    if (begins) this.#begin(epoch, after);
    if (isNew) this.#markGaps();
    const next = events.filter((event) => event.epoch === epoch && event.seq > this.cursor && event.seq <= upto);
    this.cursor = Math.max(this.cursor, upto);
    const later = this.#letGo().filter((event) => this.pushed(event) === "next");
    return { over: isNew, begins, events: [...next, ...later] };
  }

  /** As much as an answer may bring; the rest is fetched. */
  #hold(event) {
    const size = sizeOf(JSON.stringify(event));
    if (
      this.#held.has(event.seq) ||
      this.#held.size >= LIMITS.SYNC_EVENTS ||
      this.#heldBytes + size > LIMITS.SYNC_BYTES
    )
      return;
    this.#held.set(event.seq, event);
    this.#heldBytes += size;
  }

  #letGo() {
    const held = [...this.#held.values()].sort((one, other) => one.seq - other.seq);
    this.#held.clear();
    this.#heldBytes = 0;
    return held;
  }

  #begin(epoch, after) {
    this.epoch = epoch;
    this.cursor = after;
    this.#beyond = after;
    this.#letGo();
    for (const message of this.messages.values()) message.seq = 0; // places of another log
  }

  /** What is here stays, and the reader is told that some may be missing after it. */
  #markGaps() {
    for (const conversation of this.conversations.values()) conversation.gapAfter = conversation.messages.length;
  }

  // -- what is there

  /** Takes the next event: `{conversations, message?, fresh?, read?}`, what changed. Of an unknown kind, or shape, it is nothing. */
  apply(event) {
    try {
      if (event.kind === "message") return this.#message(event);
      if (event.kind === "read") return this.#read(event.data);
    } catch (problem) {
      console.error(`event ${event.id}: ${problem}`);
    }
    return { conversations: [] };
  }

  /** Marks as read here and now; the ids that were unread. The server's own event follows. */
  markRead(ids) {
    const found = ids.filter((id) => this.unread.has(id));
    this.#forgetUnread(found);
    return found;
  }

  unreadOf(conversation) {
    return [...(this.conversations.get(conversation)?.unread ?? [])];
  }

  /** Newest first. */
  sorted() {
    return [...this.conversations.values()].sort(
      (one, other) => other.last.at - one.last.at || other.last.seq - one.last.seq,
    );
  }

  #message({ id, seq, at, data }) {
    const known = this.messages.get(id);
    if (known) {
      known.seq = seq;
      return { conversations: [known.conversation], message: known, fresh: false };
    }
    const mine = data.from.id === this.me;
    const unread = !mine || data.to.some((party) => party.id === this.me);
    const party = partyOf(data, this.me);
    const message = {
      ...data,
      id,
      seq,
      at,
      mine,
      title: oneLine(data.title ?? "", LIMITS.TITLE_CHARS),
      priority: data.priority ?? "normal",
      conversation: party.id,
    };
    this.messages.set(id, message);
    const conversation = this.#conversation(message, party);
    conversation.messages.push(message);
    conversation.last = message;
    if (unread) {
      this.unread.add(id);
      conversation.unread.add(id);
    }
    return { conversations: [message.conversation], message, fresh: true, rings: unread };
  }

  #conversation(message, party) {
    let conversation = this.conversations.get(message.conversation);
    if (!conversation) {
      conversation = { id: message.conversation, messages: [], unread: new Set(), gapAfter: 0 };
      this.conversations.set(message.conversation, conversation);
    }
    conversation.parties = [party]; // as it is called now
    conversation.title = labelOf(party);
    return conversation;
  }

  #read({ ids = [], up_to = null }) {
    const meant = new Set(ids ?? []);
    if (up_to !== null) {
      for (const id of this.unread) {
        const seq = this.messages.get(id).seq;
        if (seq > 0 && seq <= up_to) meant.add(id);
      }
    }
    const read = [...meant].filter((id) => this.unread.has(id));
    return { conversations: this.#forgetUnread(read), read: [...meant] };
  }

  #forgetUnread(ids) {
    const touched = new Set();
    for (const id of ids) {
      const { conversation } = this.messages.get(id);
      this.unread.delete(id);
      this.conversations.get(conversation).unread.delete(id);
      touched.add(conversation);
    }
    return [...touched];
  }
}
