// What follows the end of a connection: another one, after how long, or none.
import { FATAL, LIMITS } from "../protocol.js";

const FIRST_MS = LIMITS.RECONNECT_FIRST_S * 1000;
const MOST_MS = LIMITS.RECONNECT_MAX_S * 1000;
const BUSY_MS = LIMITS.RECONNECT_BUSY_S * 1000;
const LEAST_MS = 100;

/** Why it ended, as `bye` or CONNECT_ERROR said; nothing where it broke. `after` in milliseconds.
 *  @typedef {{code?: string, fatal?: boolean, after?: number}} End */

/** Whether the same sign-in will never be accepted: the client stops, and asks its person. @param {End} end */
export const isFatal = ({ code = "", fatal = false }) => fatal || FATAL.has(code);

export class Reconnect {
  #failures = 0;

  connected() {
    this.#failures = 0;
  }

  /** Milliseconds until the next attempt, with full jitter, so that a whole office does not come back at the same moment;
   *  null where there is none. @param {End} end @param {number} chance in [0, 1) */
  ended(end, chance) {
    if (isFatal(end)) return null;
    const most = end.code === "busy" ? BUSY_MS : Math.min(MOST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    return (end.after ?? 0) + LEAST_MS + chance * most;
  }
}
