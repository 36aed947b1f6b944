// What the log's events mean for one person: messages by conversation, and which of them are unread.
/** @import { LogEvent, Message as WireMessage, Party, ReadMark } from "../protocol.js" */
import { LIMITS } from "../protocol.js";
import { partyOf } from "./conversations.js";
import { labelOf, oneLine } from "./text.js";

/**
 * @typedef {Omit<WireMessage, "title" | "priority"> & {id: string, seq: number, at: number, mine: boolean, title: string,
 *   priority: "low" | "normal" | "high" | "urgent", conversation: string, folded?: string}} Message
 */
/**
 * @typedef {{id: string, parties: Party[], title: string, messages: Message[], unread: Set<string>, last: Message,
 *   gapAfter: number}} Conversation
 */
/** @typedef {{conversations: string[], message?: Message, fresh?: boolean, rings?: boolean, read?: string[]}} Change */

export class Inbox {
  /** @type {Map<string, Message>} */
  messages = new Map();
  /** @type {Map<string, Conversation>} */
  conversations = new Map();
  /** @type {Set<string>} */
  unread = new Set();

  /** @param {string} me */
  constructor(me) {
    this.me = me;
  }

  /** Takes the next event: what changed. Of an unknown kind, or shape, it is nothing. @param {LogEvent} event @returns {Change} */
  apply(event) {
    try {
      if (event.kind === "message") return this.#message(event);
      if (event.kind === "read") return this.#read(event.data);
    } catch (problem) {
      console.error(`event ${event.id}: ${problem}`); // one that cannot be read must not stop the log for ever
    }
    return { conversations: [] };
  }

  /** Another log begins, whose places say nothing of what is here. */
  startOver() {
    for (const message of this.messages.values()) message.seq = 0;
  }

  /** What is here stays, and the reader is told that some may be missing after it. */
  markGaps() {
    for (const conversation of this.conversations.values()) conversation.gapAfter = conversation.messages.length;
  }

  /** Marks as read here and now; the ids that were unread. The server's own event follows. @param {string[]} ids */
  markRead(ids) {
    const found = ids.filter((id) => this.unread.has(id));
    this.#forgetUnread(found);
    return found;
  }

  /** Newest first. */
  sorted() {
    return [...this.conversations.values()].sort(
      (one, other) => other.last.at - one.last.at || other.last.seq - one.last.seq,
    );
  }

  /** @param {LogEvent} event @returns {Change} */
  #message({ id, seq, at, data }) {
    const known = this.messages.get(id);
    if (known) {
      known.seq = seq;
      return { conversations: [known.conversation], message: known, fresh: false };
    }
    const mine = data.from.id === this.me;
    const unread = !mine || data.to.some((/** @type {Party} */ party) => party.id === this.me);
    const party = partyOf(data, this.me);
    const title = data.title ? oneLine(data.title, LIMITS.TITLE_CHARS) : "";
    const priority = data.priority ?? "normal";
    /** @type {Message} */
    const message = { ...data, id, seq, at, mine, title, priority, conversation: party.id };
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

  /** @param {Message} message @param {Party} party */
  #conversation(message, party) {
    let conversation = this.conversations.get(party.id);
    if (!conversation) {
      const title = labelOf(party);
      conversation = {
        id: party.id,
        parties: [party],
        title,
        messages: [],
        unread: new Set(),
        last: message,
        gapAfter: 0,
      };
      this.conversations.set(party.id, conversation);
    }
    const [before] = conversation.parties;
    conversation.parties = [party]; // as it is called now
    if (before.display !== party.display || before.name !== party.name) conversation.title = labelOf(party);
    return conversation;
  }

  /** @param {ReadMark} mark @returns {Change} */
  #read({ ids, up_to = null }) {
    const meant = new Set(ids ?? []);
    if (up_to !== null) {
      for (const id of this.unread) {
        const { seq } = this.#of(id);
        if (seq > 0 && seq <= up_to) meant.add(id);
      }
    }
    const read = [...meant].filter((id) => this.unread.has(id));
    return { conversations: this.#forgetUnread(read), read: [...meant] };
  }

  /** @param {string[]} ids */
  #forgetUnread(ids) {
    /** @type {Set<string>} */
    const touched = new Set();
    for (const id of ids) {
      const { conversation } = this.#of(id);
      this.unread.delete(id);
      this.conversations.get(conversation)?.unread.delete(id);
      touched.add(conversation);
    }
    return [...touched];
  }

  /** @param {string} id one of `unread` */
  #of(id) {
    return /** @type {Message} */ (this.messages.get(id));
  }
}
