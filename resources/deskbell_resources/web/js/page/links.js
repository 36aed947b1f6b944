// A body as it is shown: text, and links that lead where they say.
import { linksIn } from "../core/text.js";

/** Text nodes and links for a body. A link to a look-alike host shows the host as it is looked up. */
export function linked(text) {
  const parts = [];
  let end = 0;
  for (const link of linksIn(text)) {
    parts.push(text.slice(end, link.start), anchor(link, text.slice(link.start, link.end)));
    end = link.end;
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== "");
}

function anchor({ url, host }, written) {
  const link = document.createElement("a");
  link.href = url;
  link.target = "_blank";
  link.rel = "noopener noreferrer nofollow";
  link.textContent = written.toLowerCase().split(/[/?#]+/)[1] === host ? written : url;
  link.title = host;
  return link;
}
