// An announcement: one message to everyone, once even when the button is pressed twice.

import { newId } from "../io/ids.js";
import { form } from "../page/controls.js";
import { field, h, the } from "../page/dom.js";
import { t } from "../page/words.js";
import { LIMITS } from "../protocol.js";
import { panel } from "./parts.js";

export function announce({ act, show }) {
  let key = newId();
  const priorities = ["normal", "high", "urgent", "low"];
  const priority = h(
    "select",
    { name: "priority" },
    priorities.map((name) => h("option", { value: name }, t(`announce.priority.${name}`))),
  );
  const said = h("p.good", { role: "status" });
  const send = async (data) => {
    said.textContent = "";
    const sent = await act("POST", "announce", {
      key,
      title: data.get("title"),
      body: data.get("body"),
      priority: data.get("priority"),
    });
    key = newId();
    await show();
    the("#panel [role=status]").textContent = t("announce.sent", { count: sent.recipients });
    return "";
  };
  return panel(
    t("admin.announce"),
    h("p.soft", {}, t("announce.text")),
    form(".stack", {
      fields: [
        field(t("announce.title"), h("input", { name: "title", maxlength: LIMITS.TITLE_CHARS })),
        field(t("announce.body"), h("textarea", { name: "body", rows: "5" })),
        field(t("announce.priority"), priority),
      ],
      button: t("announce.send"),
      send,
    }),
    said,
  );
}
