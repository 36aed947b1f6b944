// What somebody has begun to write, by conversation: kept in this browser, shared by its tabs.
import * as settings from "./settings.js";

const DRAFT_CHARS = 64 * 1024;

export class Drafts {
  /** @param {string} user */
  constructor(user) {
    this.user = user;
    /** @type {Map<string, string>} */
    this.unkept = new Map();
  }

  /** @param {string} conversation */
  get(conversation) {
    return this.unkept.get(conversation) ?? settings.get(`draft.${this.user}.${conversation}`);
  }

  /** @param {string} conversation @param {string} text */
  set(conversation, text) {
    const kept = text.length <= DRAFT_CHARS && settings.set(`draft.${this.user}.${conversation}`, text);
    if (kept) this.unkept.delete(conversation);
    else this.unkept.set(conversation, text);
  }
}

/** When somebody signs out, nothing of theirs stays in this browser. @param {string} user */
export function forget(user) {
  for (const name of [...settings.names(`draft.${user}.`), `outbox.${user}`, `groups.${user}`]) settings.set(name, "");
}
