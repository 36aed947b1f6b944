// The socket of the diagnostics page: every packet of an event, either way, is written into the log.
import { io } from "../../vendor/socket.io.esm.min.js";
import { freshTicket } from "../io/http.js";

export const NAMESPACE = "/test";
const OTHER = "/test-default";
const ANSWER_MS = 5000;
const path = new URL("socket.io/", document.baseURI).pathname;

export class Link {
  #sockets = new Map();

  constructor({ open, log, changed }) {
    this.open = open;
    this.log = log;
    this.changed = changed;
  }

  async #auth() {
    return this.open ? {} : { token: await freshTicket() };
  }

  #options(transports, auth) {
    return { path, transports, auth, reconnection: false, forceNew: true, upgrade: true, timeout: 10_000 };
  }

  async connect(transports) {
    this.disconnect();
    this.changed("connecting", {});
    let auth;
    try {
      auth = await this.#auth();
    } catch (problem) {
      this.log.add("err", "ticket", [problem.code]);
      this.changed("offline", {});
      return;
    }
    const socket = io(location.origin + NAMESPACE, this.#options(transports, auth));
    this.#sockets.set(NAMESPACE, socket);
    this.transports = transports;
    const tell = () => this.changed("online", { sid: socket.id, transport: socket.io.engine.transport.name });
    socket.on("connect", () => {
      this.log.add("in", "connect", [socket.id]);
      tell();
      socket.io.engine.on("upgrade", () => {
        this.log.add("in", "upgrade", [socket.io.engine.transport.name]);
        tell();
      });
    });
    socket.on("connect_error", (error) => {
      this.log.add("err", "connect_error", [error.message, error.data].filter(Boolean));
      this.changed("offline", {});
    });
    socket.on("disconnect", (reason) => {
      this.log.add("err", "disconnect", [reason]);
      this.changed("offline", {});
    });
    this.#watch(socket, "");
  }

  #watch(socket, where) {
    socket.onAny((event, ...args) => {
      const answer = typeof args.at(-1) === "function" ? args.pop() : null;
      this.log.add("in", where + event, args);
      if (!answer) return;
      const values = ["received", args.length];
      answer(...values);
      this.log.add("out", `${where}ack of ${event}`, values);
    });
  }

  /** A connection of its own that asks to be refused. */
  async refused(transports) {
    const auth = { ...(await this.#auth()), refuse: true };
    const socket = io(location.origin + NAMESPACE, this.#options(transports, auth));
    this.log.add("out", "connect", [{ refuse: true }]);
    socket.on("connect_error", (error) => {
      this.log.add("err", "connect_error", [error.message, error.data].filter(Boolean));
      socket.disconnect();
    });
    socket.on("connect", () => {
      this.log.add("err", "connect", ["was not refused"]);
      socket.disconnect();
    });
  }

  /** A second namespace on the same connection, whose errors nobody but on_error_default takes. */
  async other() {
    const known = this.#sockets.get(OTHER);
    if (known?.connected) return known;
    const socket = this.#sockets.get(NAMESPACE).io.socket(OTHER, { auth: await this.#auth() });
    this.#sockets.set(OTHER, socket);
    this.#watch(socket, `${OTHER} `);
    await new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("connect_error", reject);
    });
    return socket;
  }

  get socket() {
    return this.#sockets.get(NAMESPACE);
  }

  send(event, ...args) {
    this.log.add("out", event, args);
    this.socket.emit(event, ...args);
  }

  /** With an acknowledgement, whose values are logged and returned. */
  ask(event, ...args) {
    return this.askOn(this.socket, event, ...args);
  }

  askOn(socket, event, ...args) {
    this.log.add("out", event, args);
    return new Promise((resolve) => {
      socket.timeout(ANSWER_MS).emit(event, ...args, (problem, ...values) => {
        this.log.add(problem ? "err" : "in", `ack of ${event}`, problem ? ["no answer"] : values);
        resolve(values);
      });
    });
  }

  async pings(count) {
    const times = [];
    for (let i = 0; i < count; i += 1) {
      const since = performance.now();
      await this.socket.timeout(ANSWER_MS).emitWithAck("my_ping");
      times.push(performance.now() - since);
    }
    times.sort((one, other) => one - other);
    const shown = (value) => value.toFixed(1);
    this.log.add("in", "my_ping", [`${count}×`]);
    return { min: shown(times[0]), median: shown(times[Math.floor(count / 2)]), max: shown(times.at(-1)) };
  }

  disconnect() {
    for (const socket of this.#sockets.values()) socket.disconnect();
    this.#sockets.clear();
  }
}
