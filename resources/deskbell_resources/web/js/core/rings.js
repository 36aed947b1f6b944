// Which messages ring, and as what: each publish once, a flood in one for all, what was missed in one.
/** @import { Message } from "./inbox.js" */
/** @import { Moment } from "./moment.js" */

export const SUMMARY = "summary"; // key of the one that stands for many
const AT_ONCE = 4;
const WINDOW_MS = 10_000; // at most so many in this time; what comes after them is gathered into one

/** @typedef {Pick<Message, "id" | "conversation" | "priority"> & {publish?: string | null}} Ringing */
/** A notification. `id` is the message that it opens; `count` how many it stands for where it is the one for all.
 *  @typedef {{key: string, id: string | null, count: number}} Popup */

/** What rings as one. @param {{id: string, publish?: string | null}} message */
export const publishOf = ({ id, publish }) => publish ?? id;

export class Rings {
  /** What came last, and its messages in all conversations: nothing stands between them. */
  #told = { publish: "", ids: /** @type {string[]} */ ([]) };
  /** @type {number[]} */
  #times = [];
  #gathered = 0;
  /** @type {Map<string, string[][]>} by key: what each stands for, the messages of each publish */
  #shown = new Map();

  /** The messages that ring with this one, also those still to come; null where it does not ring.
   *  @param {Ringing} message @param {boolean} wanted it is not in sight already */
  add(message, wanted) {
    const publish = publishOf(message);
    if (this.#told.publish === publish) {
      this.#told.ids.push(message.id);
      return null;
    }
    this.#told = { publish, ids: [message.id] };
    return wanted ? this.#told.ids : null;
  }

  /** As what it is shown now. @param {Ringing} message @param {string[]} ids as `add` has told them @param {Moment} now @returns {Popup} */
  show(message, ids, now) {
    this.#times = this.#times.filter((at) => at > now.mono - WINDOW_MS);
    if (this.#times.length >= AT_ONCE && message.priority !== "urgent") {
      this.#gathered += 1;
      return this.#one(null, this.#gathered);
    }
    if (!this.#times.length) this.#gathered = 0;
    this.#times.push(now.mono);
    this.#shown.set(message.conversation, [...(this.#shown.get(message.conversation) ?? []), ids]);
    return { key: message.conversation, id: message.id, count: 0 };
  }

  /** What came while nobody was connected: one for all of it; null where that is nothing. @param {Ringing[]} messages */
  missed(messages) {
    const each = [...new Map(messages.map((message) => [publishOf(message), message])).values()];
    const last = each.at(-1);
    return last ? this.#one(each.length === 1 ? last.id : null, each.length) : null;
  }

  /** Read, here or elsewhere: keys of those that stand for nothing unread any more. @param {ReadonlySet<string>} unread */
  read(unread) {
    const over = [];
    for (const [key, publishes] of this.#shown) {
      const left = publishes.filter((ids) => ids.every((id) => unread.has(id)));
      this.#shown.set(key, left);
      if (key === SUMMARY ? unread.size === 0 : left.length === 0) over.push(key);
    }
    for (const key of over) this.#shown.delete(key);
    return over;
  }

  /** @param {string | null} id @param {number} count */
  #one(id, count) {
    this.#shown.set(SUMMARY, []);
    return { key: SUMMARY, id, count };
  }
}
