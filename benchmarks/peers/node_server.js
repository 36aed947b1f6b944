// The peer: Node.js (or Bun) with socket.io as its documentation shows it, doing what can be compared with Deskbell's work.
// A signed token is checked at the handshake, each user has a room, a message goes to the recipient's room and is
// acknowledged. With a database file it first stores the message, one row and one durable commit (WAL, synchronous=FULL).
// No log per user, no idempotency. With `recovery` it keeps in memory what clients that are away for two minutes missed;
// else nothing.
//
// Usage: node node_server.js PORT [recovery | DATABASE_FILE]; the tokens' secret is in BENCHMARK_SECRET. Under `bun` the
// same handlers run on @socket.io/bun-engine.
"use strict";

const { createServer } = require("http");
const { createHmac, timingSafeEqual } = require("crypto");
const { Server } = require("socket.io");

const [port, option] = process.argv.slice(2);
const recovers = option === "recovery";
const file = recovers ? undefined : option;
const secret = process.env.BENCHMARK_SECRET;
const BODY_MAX = 16384;

function makeStore() {
  let last = 0;
  if (!file) return () => ++last;
  const Database = require("better-sqlite3");
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec(`CREATE TABLE IF NOT EXISTS messages
    (id INTEGER PRIMARY KEY, sender TEXT, recipient TEXT, body TEXT, at INTEGER);
    CREATE INDEX IF NOT EXISTS inbox ON messages (recipient, id)`);
  const insert = database.prepare("INSERT INTO messages (sender, recipient, body, at) VALUES (?, ?, ?, ?)");
  return (sender, recipient, body, at) => Number(insert.run(sender, recipient, body, at).lastInsertRowid);
}

// "name.hex": the HMAC-SHA256 of the name. Returns the name, or undefined.
function nameOf(token) {
  const [name, signature] = String(token).split(".");
  const expected = createHmac("sha256", secret).update(name).digest();
  const given = Buffer.from(signature || "", "hex");
  return given.length === expected.length && timingSafeEqual(given, expected) ? name : undefined;
}

function isText(value, max) {
  return typeof value === "string" && value.length > 0 && value.length <= max;
}

const store = makeStore();
const pings = { pingInterval: 25000, pingTimeout: 20000 };
const recovery = { maxDisconnectionDuration: 120000, skipMiddlewares: true };
const io = new Server({
  transports: ["websocket"],
  perMessageDeflate: false,
  serveClient: false,
  ...pings,
  ...(recovers ? { connectionStateRecovery: recovery } : {}),
});

io.use((socket, next) => {
  const name = nameOf(socket.handshake.auth.token);
  if (!name) return next(new Error("unauthorized"));
  socket.data.name = name;
  return next();
});

io.on("connection", (socket) => {
  const from = socket.data.name;
  socket.join(from);
  socket.on("send", ({ to, body }, answer) => {
    if (!isText(to, 64) || !isText(body, BODY_MAX)) return answer({ ok: false });
    const at = Date.now();
    const id = store(from, to, body, at);
    io.to(to).emit("message", { id, from, body, at });
    return answer({ ok: true, id });
  });
  socket.on("announce", ({ body }, answer) => {
    if (!isText(body, BODY_MAX)) return answer({ ok: false });
    const at = Date.now();
    const id = store(from, "", body, at);
    io.emit("message", { id, from, body, at });
    return answer({ ok: true, id });
  });
});

if (process.versions.bun) {
  const { Server: Engine } = require("@socket.io/bun-engine");
  const engine = new Engine({ path: "/socket.io/", ...pings });
  io.bind(engine);
  Bun.serve({ port: Number(port), hostname: "127.0.0.1", ...engine.handler() });
} else {
  const http = createServer((request, response) => response.end("ok"));
  io.attach(http);
  http.listen({ port: Number(port), host: "127.0.0.1", backlog: 4096 });
}
