// What was done to this server's accounts, groups and devices, newest first, by whom.

import { oneLine } from "../core/text.js";
import { h } from "../page/dom.js";
import { fullTime, t } from "../page/words.js";
import { action, asRow, panel, table } from "./parts.js";

const HEADS = ["activity.when", "activity.who", "activity.what", "activity.whom"];

const whole = (entry) => (entry.action.startsWith("group.") && !entry.detail ? ".whole" : "");

export async function activity({ act }) {
  const row = (entry) =>
    h(
      "tr",
      {},
      h("td.soft.small.num", {}, fullTime(entry.at)),
      h("td", {}, h("bdi", {}, oneLine(entry.actor))),
      h("td", { title: entry.action }, t(`act.${entry.action}${whole(entry)}`)),
      h("td", {}, h("bdi", {}, oneLine([...new Set([entry.subject, entry.detail])].filter(Boolean).join(" · "), 160))),
    );
  let { entries, more } = await act("GET", "activity");
  if (!entries.length) return panel(t("admin.activity"), h("p.soft", {}, t("activity.none")));
  const heads = HEADS.map((head) => t(head));
  const shown = table(t("admin.activity"), heads, entries.map(row));
  const older = action(t("activity.more"), async () => {
    ({ entries, more } = await act("GET", `activity?before=${entries.at(-1).id}`));
    shown.querySelector("tbody").append(...entries.map((entry) => asRow(row(entry), heads)));
    older.hidden = !more;
  });
  older.hidden = !more;
  return panel(t("admin.activity"), shown, older);
}
