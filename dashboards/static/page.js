// What every page can do without the charts' script: change its theme, sort its tables, open what a link points to.
(() => {
  "use strict";
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const stored = (value) => {
    try { // a browser may refuse storage to pages opened from a file
      if (value) localStorage.setItem("lookout-theme", value);
      return localStorage.getItem("lookout-theme");
    } catch { return null; }
  };

  const button = document.querySelector(".theme");
  const current = () => root.dataset.theme || (prefersDark.matches ? "dark" : "light");
  const label = () => { button.textContent = current() === "dark" ? "Light theme" : "Dark theme"; };
  const remembered = stored();
  if (remembered === "light" || remembered === "dark") root.dataset.theme = remembered;
  const changed = () => { label(); document.dispatchEvent(new Event("themechange")); };
  button.addEventListener("click", () => {
    root.dataset.theme = current() === "dark" ? "light" : "dark";
    stored(root.dataset.theme);
    changed();
  });
  prefersDark.addEventListener("change", changed);
  button.hidden = false;
  label();

  const key = (row, column) => {
    const cell = row.cells[column];
    return "v" in cell.dataset ? Number(cell.dataset.v) : cell.textContent.trim().toLowerCase();
  };
  const compare = (a, b) => {
    if (typeof a === "number" && typeof b === "number") return (Number.isNaN(a) - Number.isNaN(b)) || a - b || 0;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };
  const sort = (table, header) => {
    const column = header.cellIndex;
    const numeric = header.classList.contains("n");
    const was = header.getAttribute("aria-sort");
    const direction = was ? (was === "ascending" ? "descending" : "ascending") : numeric ? "descending" : "ascending";
    const sign = direction === "ascending" ? 1 : -1;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction);
    const body = table.tBodies[0];
    const rows = Array.from(body.rows, (row) => [key(row, column), row]);
    rows.sort(([a], [b]) => sign * compare(a, b));
    body.append(...rows.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    for (const header of table.tHead.rows[0].cells) {
      const press = document.createElement("button");
      press.type = "button";
      press.append(...header.childNodes);
      header.append(press);
      press.addEventListener("click", () => sort(table, header));
    }
  }

  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = target && target.closest("details");
    if (details) { details.open = true; target.scrollIntoView({ block: target === details ? "start" : "center" }); }
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Without the charts' script the tables speak for the charts.
  addEventListener("load", () => {
    if (root.classList.contains("drawn")) return;
    for (const table of document.querySelectorAll("figure details")) table.open = true;
  });
})();
