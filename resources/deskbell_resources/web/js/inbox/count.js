// The number in the title and the icon of the page.

/** The unread count where it can be seen from another tab. @param {number} count */
export function showCount(count) {
  document.title = count ? `(${count}) Deskbell` : "Deskbell";
  const name = count === 0 ? "favicon.svg" : `unread-${Math.min(count, 10)}.svg`;
  const link = /** @type {HTMLLinkElement} */ (document.getElementById("favicon"));
  if (!link.href.endsWith(`/${name}`)) link.href = `web/icons/${name}`;
}
