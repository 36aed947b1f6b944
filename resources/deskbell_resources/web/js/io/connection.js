// The socket: our own reconnect loop, a fresh socket each time, signed in by a ticket in the CONNECT payload. Tells what happened; keeps no state of the log.
import { io } from "../../vendor/socket.io.esm.min.js";
import { LIMITS, VERSION } from "../protocol.js";
import { freshTicket } from "./http.js";

const FIRST_MS = LIMITS.RECONNECT_FIRST_S * 1000;
const MOST_MS = LIMITS.RECONNECT_MAX_S * 1000;
const BUSY_MS = LIMITS.RECONNECT_BUSY_S * 1000;
const CONNECT_MS = 10_000;
const ANSWER_MS = 8000;
const CLIENT = "deskbell-web/0.1.0";
const GONE = new Set(["unauthorized", "revoked"]);

export class Connection extends EventTarget {
  #socket = null;
  #stopped = new AbortController();
  #wake = null;
  #failures = 0;

  constructor({ polling }) {
    super();
    this.polling = polling;
    this.online = false;
    const { signal } = this.#stopped;
    addEventListener("online", () => this.now(), { signal });
    document.addEventListener(
      "visibilitychange",
      () => {
        if (!document.hidden) this.#check();
      },
      { signal },
    );
  }

  /** Runs until `stop`, or until the server says for good that nobody is signed in here: then "left" is told, with the code. */
  async run() {
    while (!this.#stopped.signal.aborted) {
      const end = await this.#once();
      if (this.#stopped.signal.aborted) return;
      if (GONE.has(end.code) || end.code === "forbidden" || end.code === "upgrade_required") {
        this.#tell("left", end);
        return;
      }
      await this.#rest(end);
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

  /** The answer to an event, or a rejection when there is no connection or none came. */
  ask(event, payload) {
    if (!this.online) return Promise.reject(new Error("offline"));
    return this.#socket.timeout(ANSWER_MS).emitWithAck(event, payload);
  }

  async #once() {
    this.#tell("state", { state: "connecting" });
    let ticket;
    try {
      ticket = await freshTicket();
    } catch (problem) {
      return { code: problem.code, after: (problem.retry_after_s ?? 0) * 1000 };
    }
    if (this.#stopped.signal.aborted) return {};
    return this.#connected(ticket);
  }

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
      let bye = null;
      const end = (found) => {
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
        this.#failures = 0;
        this.#tell("state", { state: "online" });
      });
      socket.on("connect_error", (error) => end({ ...error.data, after: (error.data?.retry_after_s ?? 0) * 1000 }));
      socket.on("disconnect", () => end(bye ?? {}));
      socket.on("bye", (said) => {
        bye = { code: said.code, after: said.after_ms };
      });
      socket.on("event", (event) => this.#tell("event", event));
      socket.on("head", (head) => this.#tell("head", head));
    });
  }

  /** Full jitter, so that a whole office does not come back at the same moment. */
  #rest(end) {
    const most = end.code === "busy" ? BUSY_MS : Math.min(MOST_MS, FIRST_MS * 2 ** this.#failures);
    this.#failures += 1;
    const wait = (end.after ?? 0) + 100 + Math.random() * most;
    this.#tell("state", { state: "offline", wait });
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.(), wait);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = null;
        resolve();
      };
    });
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

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
