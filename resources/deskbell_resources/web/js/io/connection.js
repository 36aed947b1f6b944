// The socket: our own reconnect loop, a fresh socket each time, signed in by a ticket in the CONNECT payload. Tells what happened; keeps no state of
// the log.
/** @import { End } from "../core/reconnect.js" */
import { io } from "../../vendor/socket.io.esm.min.js";
import { Reconnect } from "../core/reconnect.js";
import { FINAL, VERSION } from "../protocol.js";
import { freshTicket } from "./http.js";

const CONNECT_MS = 10_000;
const ANSWER_MS = 8000;
const CLIENT = "deskbell-web/0.1.0";

/** What was said of why, in an answer, a CONNECT_ERROR or a `bye`. @param {any} said @returns {End} */
const endOf = (said) => ({
  code: said?.code,
  fatal: said?.fatal === true,
  after: said?.after_ms ?? (said?.retry_after_s ?? 0) * 1000,
});

export class Connection extends EventTarget {
  /** @type {any} */
  #socket = null;
  #stopped = new AbortController();
  /** @type {(() => void) | null} */
  #wake = null;
  #reconnect = new Reconnect();

  /** @param {{polling?: boolean}} options */
  constructor({ polling = false }) {
    super();
    this.polling = polling;
    this.online = false;
    const { signal } = this.#stopped;
    const seen = () => {
      if (!document.hidden) this.#check();
    };
    addEventListener("online", () => this.now(), { signal });
    document.addEventListener("visibilitychange", seen, { signal });
  }

  /** Runs until `stop`, or until the server says that it will never be otherwise: then "left" is told, with the code. */
  async run() {
    while (!this.#stopped.signal.aborted) {
      const end = await this.#once();
      if (this.#stopped.signal.aborted) return;
      const wait = this.#reconnect.ended(end, Math.random());
      if (wait === null) {
        this.#tell("left", end);
        return;
      }
      await this.#rest(wait);
    }
  }

  stop() {
    this.#stopped.abort();
    this.#socket?.disconnect();
    this.#wake?.();
  }

  /** Try again at once. */
  now() {
    this.#wake?.();
  }

  /**
   * The answer to an event, or a rejection when there is no connection or none came.
   * @param {string} event @param {object} payload @returns {Promise<any>}
   */
  ask(event, payload) {
    if (!this.online) return Promise.reject(new Error("offline"));
    return this.#socket.timeout(ANSWER_MS).emitWithAck(event, payload);
  }

  /** @returns {Promise<End>} */
  async #once() {
    this.#tell("state", { state: "connecting" });
    let ticket;
    try {
      ticket = await freshTicket();
    } catch (problem) {
      const end = endOf(problem);
      return { ...end, fatal: FINAL.has(end.code ?? "") };
    }
    if (this.#stopped.signal.aborted) return {};
    return this.#connected(ticket);
  }

  /** @param {string} ticket @returns {Promise<End>} */
  #connected(ticket) {
    const socket = io(location.origin, {
      path: new URL("socket.io/", document.baseURI).pathname,
      transports: this.polling ? ["websocket", "polling"] : ["websocket"],
      tryAllTransports: this.polling,
      reconnection: false,
      forceNew: true,
      timeout: CONNECT_MS,
      auth: { v: VERSION, token: ticket, client: CLIENT },
    });
    this.#socket = socket;
    return new Promise((resolve) => {
      /** @type {End} */
      let bye = {};
      const end = (/** @type {End} */ found) => {
        clearTimeout(patience);
        this.online = false;
        socket.off();
        socket.disconnect();
        resolve(found);
      };
      const patience = setTimeout(() => end({}), CONNECT_MS);
      socket.on("connect", () => {
        clearTimeout(patience);
        this.online = true;
        this.#reconnect.connected();
        this.#tell("state", { state: "online" });
      });
      socket.on("connect_error", (/** @type {any} */ error) => end(endOf(error.data)));
      socket.on("disconnect", () => end(bye));
      socket.on("bye", (/** @type {any} */ said) => {
        bye = endOf(said);
      });
      socket.on("event", (/** @type {any} */ event) => this.#tell("event", event));
      socket.on("head", (/** @type {any} */ head) => this.#tell("head", head));
    });
  }

  /** @param {number} wait */
  #rest(wait) {
    this.#tell("state", { state: "offline", wait });
    return /** @type {Promise<void>} */ (
      new Promise((resolve) => {
        const timer = setTimeout(() => this.#wake?.(), wait);
        this.#wake = () => {
          clearTimeout(timer);
          this.#wake = null;
          resolve();
        };
      })
    );
  }

  /** After a sleep the socket may be dead without knowing it. */
  #check() {
    if (!this.online) this.now();
    else this.#tell("check");
  }

  /** The connection is of no use any more: begin another. */
  drop() {
    this.#socket?.disconnect();
  }

  /** @param {string} type @param {object} [detail] */
  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
