// Before the first paint: the theme and language that this person chose, or those of their system. A classic script, so that nothing flashes.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const show = () => {
    const theme = kept("deskbell.theme");
    root.dataset.theme = theme === "light" || theme === "dark" ? theme : dark.matches ? "dark" : "light";
  };
  show();
  dark.addEventListener("change", show);
  addEventListener("deskbell-look", show);
  addEventListener("storage", show);
  const wanted = kept("deskbell.language") || navigator.language || "en";
  root.lang = /^zh/i.test(wanted) ? "zh-CN" : "en";
})();
