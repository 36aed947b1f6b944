// The person's log as state: messages by conversation, and what of them is unread. No network, no page, no clock.
import { LIMITS } from "../protocol.js";
import { labelOf, oneLine } from "../text.js";

/** The group that these parties are; null where they are anything else. */
export const groupOf = (parties) => (parties.length === 1 && parties[0].kind === "group" ? parties[0] : null);

/** Which conversation these parties are; the rule of the protocol, the same in every client. */
export const conversationOf = (parties) => parties.map((party) => party.id).sort().join("+");

/** With whom a message is exchanged: its group, those I wrote it to, or its sender. */
const partiesOf = (message, me) => (groupOf(message.to) || message.from.id === me ? message.to : [message.from]);

export class Log {
  constructor(me) {
    this.me = me;
    this.epoch = null;
    this.cursor = 0;
    this.messages = new Map();
    this.conversations = new Map();
    this.unread = new Set();
  }

  /** Whether a frame is the next one. A lower one is old news, a higher one says that something is missing. */
  isNext(frame) { return frame.epoch === this.epoch && frame.prev <= this.cursor && frame.seq > this.cursor; }
  isOld(frame) { return frame.epoch === this.epoch && frame.seq <= this.cursor; }

  /** Takes the next event: `{conversations, message?, fresh?, read?}`, what changed. Unknown kinds only move the cursor. */
  apply(event) {
    this.cursor = event.seq;
    if (event.kind === "message") return this.#message(event);
    if (event.kind === "read") return this.#read(event.data);
    return { conversations: [] };
  }

  /** The log was replaced, or its oldest part dropped: what is here stays, and the reader is told that some may be missing. */
  startOver(epoch, cursor) {
    const hadAny = this.messages.size > 0;
    this.epoch = epoch;
    this.cursor = cursor;
    for (const message of this.messages.values()) message.seq = 0;
    if (hadAny) for (const conversation of this.conversations.values()) conversation.gapAfter = conversation.messages.length;
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
    return [...this.conversations.values()].sort((one, other) => other.last.at - one.last.at || (other.last.id < one.last.id ? -1 : 1));
  }

  #message({ id, seq, at, data }) {
    const known = this.messages.get(id);
    if (known) {
      known.seq = seq;
      return { conversations: [known.conversation], message: known, fresh: false };
    }
    const mine = data.from.id === this.me;
    const unread = !mine || data.to.some((party) => party.id === this.me);
    const parties = partiesOf(data, this.me);
    const message = { ...data, id, seq, at, mine, title: oneLine(data.title ?? "", LIMITS.TITLE_CHARS), priority: data.priority ?? "normal", conversation: conversationOf(parties) };
    this.messages.set(id, message);
    const conversation = this.#conversation(message, parties);
    conversation.messages.push(message);
    conversation.last = message;
    if (unread) {
      this.unread.add(id);
      conversation.unread.add(id);
    }
    return { conversations: [message.conversation], message, fresh: true, rings: unread };
  }

  #conversation(message, parties) {
    let conversation = this.conversations.get(message.conversation);
    if (!conversation) {
      conversation = { id: message.conversation, messages: [], unread: new Set(), gapAfter: 0 };
      this.conversations.set(message.conversation, conversation);
    }
    conversation.parties = parties; // as they are called now
    conversation.title = parties.map(labelOf).join(", ");
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
