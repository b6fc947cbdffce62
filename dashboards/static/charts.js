// Draws each figure's specification once it comes into view, and again when the theme changes.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("drawn");
  const drawn = new Map();

  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const painted = (part) => {
    if (typeof part === "string") {
      const named = /^var\(--([a-z]+)\)([0-9a-f]{2})?$/.exec(part);
      return named ? colour(named[1]) + (named[2] || "") : part;
    }
    if (Array.isArray(part)) return part.map(painted);
    if (part && typeof part === "object") {
      return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, painted(value)]));
    }
    return part;
  };
  const look = (width) => {
    const font = getComputedStyle(document.body).fontFamily;
    const legend = width - 60; // beside the axis
    const columns = Math.max(1, Math.floor(legend / 150));
    const quiet = {
      labelColor: colour("muted"), titleColor: colour("muted"), labelFont: font, titleFont: font,
      labelFontSize: 11, titleFontSize: 11, titleFontWeight: 400,
    };
    return {
      background: null, font, padding: 2,
      view: { stroke: null },
      axis: {
        ...quiet, gridColor: colour("line"), domainColor: colour("edge"), tickColor: colour("edge"), tickSize: 4,
        labelPadding: 4, titlePadding: 8,
      },
      axisY: { domain: false, ticks: false },
      axisBand: { grid: false, domain: false, ticks: false, labelColor: colour("ink") },
      legend: { ...quiet, labelColor: colour("ink"), offset: 6, symbolSize: 80, columnPadding: 14,
        columns, labelLimit: Math.floor(legend / columns) - 34 },
      text: { font, color: colour("ink") },
      line: { strokeJoin: "round" },
    };
  };

  // What answers the pointer takes as long to draw as all the rest: it waits for the pointer.
  const live = new Set();
  const still = (spec) => ({
    ...spec, layer: spec.layer?.filter((one) => !one.params?.some((param) => param.name === "hover")),
  });

  const draw = async (figure) => {
    const plot = figure.querySelector(".plot");
    const whole = painted(JSON.parse(figure.querySelector("script.chart").textContent));
    const previous = drawn.get(figure);
    drawn.set(figure, vegaEmbed(plot, live.has(figure) || !whole.layer ? whole : still(whole), {
      actions: false, ast: true, renderer: "canvas", defaultStyle: false, config: look(plot.clientWidth),
      tooltip: { disableDefaultStyle: true },
    }).catch((error) => {
      plot.textContent = "This chart could not be drawn; its table says the same.";
      throw error;
    }));
    if (previous) (await previous).finalize();
  };

  // One after the other, so that the first are there at once and the page answers meanwhile.
  let last = Promise.resolve();
  const soon = (figure) => {
    last = last.then(() => new Promise((done) => { setTimeout(done); })).then(() => drawn.has(figure) || draw(figure));
  };
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      soon(entry.target);
    }
  }, { rootMargin: "300px" });
  for (const spec of document.querySelectorAll("script.chart")) {
    const figure = spec.closest("figure");
    seen.observe(figure);
    figure.addEventListener("pointerenter", () => { live.add(figure); draw(figure); }, { once: true });
  }
  document.addEventListener("themechange", () => { for (const figure of drawn.keys()) draw(figure); });
  addEventListener("beforeprint", () => {
    for (const spec of document.querySelectorAll("script.chart")) {
      const figure = spec.closest("figure");
      if (!drawn.has(figure)) draw(figure);
    }
  });
})();
