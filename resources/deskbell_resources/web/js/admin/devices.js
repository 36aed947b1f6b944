// Devices: who is signed in, who is online now; sign one out.

import { oneLine } from "../core/text.js";
import { h } from "../page/dom.js";
import { fullTime, t } from "../page/words.js";
import { action, panel, table } from "./parts.js";

export async function devices({ act, found, show }) {
  const answer = await act("GET", "devices");
  const rows = [...answer.devices].sort((one, other) => Number(other.online) - Number(one.online));
  const revoke = (device) => async () => {
    if (!confirm(t("device.revoke.sure", { name: device.name, user: device.user }))) return;
    await act("DELETE", `devices/${device.id}`);
    await show();
  };
  const row = (device) =>
    h(
      "tr",
      { "data-device": device.id },
      h("td", {}, h("strong", {}, h("bdi", {}, device.user))),
      h(
        "td",
        {},
        h(
          "span.row.wrap",
          {},
          h("bdi", {}, oneLine(device.name)),
          device.id === found.device && h("span.tag.plain", {}, t("device.this")),
        ),
      ),
      h("td", {}, device.online ? h("span.row.small.good", {}, h("span.dot.good"), t("online")) : ""),
      h("td.soft.small.num", {}, fullTime(device.last_used_at)),
      h("td.soft.small.num", {}, fullTime(device.created_at)),
      h("td.acts", {}, action(t("device.revoke"), revoke(device), ".danger")),
    );
  return panel(
    t("admin.devices"),
    h(
      "div.row",
      {},
      h("p.soft.grow", {}, t("device.online", { count: rows.filter((device) => device.online).length })),
      action(t("reload"), show),
    ),
    table(
      t("admin.devices"),
      [t("device.person"), t("device.name"), t("user.state"), t("device.used"), t("device.made"), ""],
      rows.map(row),
    ),
  );
}
