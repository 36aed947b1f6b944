// One row for each form of event.
import { h } from "../page/dom.js";
import { t } from "../page/words.js";

function row(key, title, inputs, acts) {
  const run = (event) => {
    event.preventDefault();
    const act = acts.find(([name]) => name === event.submitter?.dataset.do) ?? acts[0];
    void act[2](...inputs.map((input) => input.value));
  };
  return h(
    "form.form",
    { "data-form": key, on: { submit: run } },
    h("h3", {}, t(title)),
    h(
      "div.row.wrap",
      {},
      inputs,
      acts.map(([name, text]) => h("button.button", { type: "submit", "data-do": name, disabled: true }, t(text))),
    ),
  );
}

const input = (label, value = "") =>
  h("input.input", { "aria-label": t(label), placeholder: t(label), value, autocomplete: "off" });

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return { text };
  }
}

export function forms(link) {
  const rooms = [input("test.who", "ana"), input("test.room.name", "lobby")];
  return [
    row(
      "message",
      "test.message",
      [input("test.value", "hello")],
      [["message", "test.do", (text) => link.send("message", text)]],
    ),
    row(
      "json",
      "test.json",
      [input("test.value", '{"a": 1}')],
      [["json", "test.do", (text) => link.send("json", parsed(text))]],
    ),
    row(
      "named",
      "test.named",
      [input("test.value", "ring")],
      [["named", "test.do", (text) => link.send("my_event", { data: text })]],
    ),
    row(
      "args",
      "test.args",
      [input("1", "one"), input("2", "two"), input("3", "three")],
      [["args", "test.do", (...values) => link.send("my event", ...values)]],
    ),
    row(
      "ack",
      "test.ack",
      [input("test.value", "ring")],
      [["ack", "test.do", (text) => link.ask("my_ack", { data: text })]],
    ),
    row(
      "callback",
      "test.callback",
      [input("test.value", "ring")],
      [["callback", "test.do", (text) => link.send("my_callback", { data: text })]],
    ),
    row("room", "test.room", rooms, [
      ["join", "test.join", (username, room) => link.send("join", { username, room })],
      ["say", "test.say", (username, room) => link.send("my_room_event", { room, data: username })],
      ["leave", "test.leave", (username, room) => link.send("leave", { username, room })],
    ]),
    row(
      "own",
      "test.own",
      [input("test.sid.other"), input("test.value", "only you")],
      [["own", "test.do", (sid, text) => link.send("my_room_event", { room: sid || link.socket.id, data: text })]],
    ),
    row(
      "broadcast",
      "test.broadcast",
      [input("test.value", "all of you")],
      [["broadcast", "test.do", (text) => link.send("my_broadcast", { data: text })]],
    ),
    row(
      "background",
      "test.background",
      [input("test.value", "later")],
      [["background", "test.do", (text) => link.send("my_background", { data: text })]],
    ),
    row(
      "error",
      "test.error",
      [input("test.value", "wrong")],
      [["error", "test.do", (text) => link.ask("my_error", { data: text })]],
    ),
    row(
      "error-default",
      "test.error.default",
      [input("test.value", "wrong")],
      [["error-default", "test.do", async (text) => link.askOn(await link.other(), "my_error", { data: text })]],
    ),
  ];
}
