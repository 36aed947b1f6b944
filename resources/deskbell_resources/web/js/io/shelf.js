// Where this browser keeps what was written and not yet confirmed, shared by its tabs; where it keeps nothing, this page does.
/** @import { Item } from "../core/outbox.js" */
import * as settings from "./settings.js";

/** As the outbox wants it. */
export class Shelf {
  /** @type {Item[]} */
  #unkept = [];

  /** @param {string} user */
  constructor(user) {
    this.name = `outbox.${user}`;
  }

  /** @returns {Item[]} */
  read() {
    if (!settings.keeps()) return this.#unkept;
    return settings.getList(this.name).filter((/** @type {any} */ item) => item?.cid && item.draft && item.parties);
  }

  /** @param {Item[]} items */
  write(items) {
    this.#unkept = items;
    return settings.set(this.name, items.length ? JSON.stringify(items) : "") || !settings.keeps();
  }
}
