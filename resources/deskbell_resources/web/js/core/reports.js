// Read marks on their way to the server: one batch at a time, kept until it has them.
/** @import { Moment } from "./moment.js" */
import { FINAL, LIMITS } from "../protocol.js";

const RETRY_MS = 10_000;

export class ReadReports {
  /** @type {Set<string>} */
  #untold = new Set();
  #online = false;
  #asking = false;
  /** @type {number | null} */
  #retryAt = null;

  up() {
    this.down();
    this.#online = true;
    return this.#send();
  }

  down() {
    this.#online = this.#asking = false;
    this.#retryAt = null;
  }

  /** Ids to be told now; null where that has to wait. @param {Iterable<string>} ids */
  add(ids) {
    for (const id of ids) this.#untold.add(id);
    return this.#send();
  }

  /** The server knows it, by whatever way. @param {Iterable<string>} ids */
  told(ids) {
    for (const id of ids) this.#untold.delete(id);
  }

  /** `code` where the server refused; "offline" where it did not answer. @param {string[]} ids @param {string | null} code @param {Moment} now */
  answered(ids, code, now) {
    this.#asking = false;
    if (code === null || FINAL.has(code)) {
      this.told(ids); // or it has none of these: nobody is left to be told
      return this.#send();
    }
    if (this.#online) this.#retryAt = now.mono + RETRY_MS;
    return null;
  }

  /** @param {Moment} now */
  tick(now) {
    if (this.#retryAt === null || this.#retryAt > now.mono) return null;
    this.#retryAt = null;
    return this.#send();
  }

  get dues() {
    return this.#retryAt === null ? [] : [this.#retryAt];
  }

  #send() {
    if (!this.#online || this.#asking || this.#untold.size === 0) return null;
    this.#asking = true;
    this.#retryAt = null;
    return [...this.#untold].slice(0, LIMITS.READ_IDS);
  }
}
