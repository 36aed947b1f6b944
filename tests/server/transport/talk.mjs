// What a program with socket.io-client 4 does with the server of test_javascript.py; prints one JSON line.
import { createRequire } from "node:module";
import { once } from "node:events";

const [folder, url, transports] = process.argv.slice(2);
const { io } = createRequire(folder + "/")("socket.io-client");
const options = { transports: transports.split(","), reconnection: false, forceNew: true, auth: { token: "good" } };
const seen = {};

const socket = io(url, options);
socket.on("connect_error", (error) => {
  console.log(JSON.stringify({ failed: error.message }));
  process.exit(1);
});
await once(socket, "connect");
if (options.transports[0] === "polling" && options.transports.length === 2 && socket.io.engine.transport.name === "polling")
  await new Promise((done) => socket.io.engine.once("upgrade", done));
seen.transport = socket.io.engine.transport.name;
seen.echo = await new Promise((done) => socket.emit("echo", 1, "zwei", { 三: [3] }, (...args) => done(args)));
seen.hot = await socket.timeout(5000).emitWithAck("hot", { a: "ä".repeat(3000) }).then((answer) => answer.got.a.length);
seen.failed = (await socket.timeout(5000).emitWithAck("fail")).code;

socket.on("question", (question, answer) => answer(question * 2, "yes"));
const asked = new Promise((done) => socket.once("answered", (...args) => done(args)));
socket.emit("ask_me", 21);
seen.asked = await asked;

const news = [];
const all = new Promise((done) => socket.on("news", (body) => news.push(body) === 50 && done()));
for (let n = 0; n < 50; n++) {
  socket.emit("to_room", { room: "everyone", body: n });
  // Stock long polling takes 16 packets in one request.
  if (n % 10 === 9) await socket.timeout(5000).emitWithAck("echo", n);
}
await all;
seen.news = news;

const second = socket.io.socket("/test", { auth: {} });
await once(second, "connect");
seen.second = await second.timeout(5000).emitWithAck("echo", "here too");

const refused = io(url, { ...options, auth: { token: "bad" } });
const [error] = await once(refused, "connect_error");
seen.refused = [error.message, error.data];
refused.close();

const gone = once(socket, "disconnect");
socket.emit("kick_me");
seen.reason = (await gone)[0];
socket.io.engine.close();
console.log(JSON.stringify(seen));
process.exit(0);
