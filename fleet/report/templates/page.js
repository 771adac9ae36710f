// Charts of a page: values under the pointer, zoom by dragging, series switched by their buttons.
// The drawings say where their axes are (data-x, data-y: from, to, value there, value there, scale, name) and which shapes are
// a series (data-series) or have a text (data-tip). Without this script they are still whole.
"use strict";
const charts = (() => {
  const NS = "http://www.w3.org/2000/svg";
  const NUMBER = /-?\d+(?:\.\d+)?/g;
  const PERCENTILES = [1, 2, 4, 10, 20, 100, 200, 1000, 1e4, 1e5, 1e6, 1e7, 1e8];
  const remembered = new Map(); // what the reader has set, by the title of the figure: a live page draws anew

  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  tip.setAttribute("aria-hidden", "true");
  document.body.append(tip);

  function show(event, text) {
    tip.textContent = text;
    tip.hidden = !text;
    if (!text) return;
    const wide = tip.offsetWidth, high = tip.offsetHeight;
    tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - wide - 4))}px`;
    tip.style.top = `${event.clientY > high + 20 ? event.clientY - high - 12 : event.clientY + 18}px`;
  }

  function axis(text) {
    if (!text) return null;
    const [from, to, low, high, scale, ...name] = text.split(" ");
    return { from: +from, to: +to, low: +low, high: +high, scale, name: name.join(" "), begin: +from, end: +to };
  }
  const stretched = (a) => a.scale === "log" || a.scale === "nines";
  function valueAt(a, place) { // of a place in the drawing as it was made
    const share = (place - a.from) / (a.to - a.from);
    return stretched(a) ? a.low * (a.high / a.low) ** share : a.low + share * (a.high - a.low);
  }
  function placeOf(a, value) {
    const share = stretched(a) ? Math.log(value / a.low) / Math.log(a.high / a.low) : (value - a.low) / (a.high - a.low);
    return a.from + share * (a.to - a.from);
  }
  const zoomed = (a, place) => a.from + (place - a.begin) * (a.to - a.from) / (a.end - a.begin);
  const unzoomed = (a, place) => a.begin + (place - a.from) * (a.end - a.begin) / (a.to - a.from);
  function number(value) {
    const digits = Math.abs(value) >= 1000 ? 0 : Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 1 ? 3 : 4;
    return String(+value.toFixed(digits));
  }
  function told(a, value) {
    if (a.scale === "share") return `${number(value * 100)} %`;
    if (a.scale === "nines") return `percentile ${+(100 * (1 - 1 / value)).toPrecision(7)}`;
    return a.name ? `${a.name}: ${number(value)}` : number(value);
  }

  function ticks(a) {
    const low = valueAt(a, a.begin), high = valueAt(a, a.end);
    if (a.scale === "nines") {
      return PERCENTILES.filter((v) => v >= low && v <= high).map((v) => [v, `${+(100 * (1 - 1 / v)).toPrecision(9)} %`]);
    }
    const rough = (high - low) / 5, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    const found = [];
    for (let at = Math.ceil(low / step); at * step <= high; at++) {
      const value = +(at * step).toPrecision(12);
      found.push([value, a.scale === "share" ? `${+(value * 100).toPrecision(6)} %` : String(value)]);
    }
    return found;
  }

  function chart(svg) {
    const figure = svg.closest("figure");
    const key = figure ? figure.getAttribute("aria-label") : "";
    const x = axis(svg.dataset.x), y = axis(svg.dataset.y);
    const state = remembered.get(key) || { hidden: new Set(), zoom: null };
    remembered.set(key, state);
    const series = new Map();
    for (const group of svg.querySelectorAll("[data-series]")) {
      const name = group.dataset.series;
      if (!series.has(name)) series.set(name, { groups: [], points: [] });
      series.get(name).groups.push(group);
    }
    // Shapes in the frame of the axes: what moves when the reader zooms.
    const moving = [];
    for (const node of svg.querySelectorAll("path[clip-path]")) {
      const made = node.getAttribute("d");
      if (!node.closest(".tick")) moving.push({ node, made });
    }
    const uses = [...svg.querySelectorAll("[clip-path] use")].map((node) => ({
      node, x: +node.getAttribute("x"), y: +node.getAttribute("y") }));
    for (const one of series.values()) {
      for (const group of one.groups) {
        const path = group.querySelector("path[clip-path]");
        if (!path || (path.style.fill && path.style.fill !== "none")) continue;
        const numbers = (path.getAttribute("d").match(NUMBER) || []).map(Number);
        for (let at = 0; at + 1 < numbers.length; at += 2) one.points.push([numbers[at], numbers[at + 1]]);
      }
    }
    const canZoom = x && y && moving.length > 0;
    const drawn = document.createElementNS(NS, "g");
    svg.prepend(drawn); // the grid lies behind what is drawn

    function redraw() {
      for (const [name, one] of series) for (const g of one.groups) g.style.display = state.hidden.has(name) ? "none" : "";
      drawn.replaceChildren();
      if (!canZoom) return;
      for (const [a, span] of [[x, "x"], [y, "y"]]) [a.begin, a.end] = state.zoom ? state.zoom[span] : [a.from, a.to];
      for (const { node, made } of moving) {
        let first = true;
        node.setAttribute("d", made.replace(NUMBER, (text) => {
          const moved = zoomed(first ? x : y, +text);
          first = !first;
          return moved.toFixed(2);
        }));
      }
      for (const one of uses) {
        one.node.setAttribute("x", zoomed(x, one.x));
        one.node.setAttribute("y", zoomed(y, one.y));
      }
      for (const [a, part] of [[x, ".axis-x"], [y, ".axis-y"]]) {
        const words = a.scale === "words" || !state.zoom;
        for (const tick of svg.querySelectorAll(`${part} .tick`)) tick.style.display = words ? "" : "none";
        if (!words) for (const [value, text] of ticks(a)) label(a, a === x, value, text);
      }
      reset.hidden = !state.zoom;
    }
    function label(a, across, value, text) {
      const place = zoomed(a, placeOf(a, value));
      const line = document.createElementNS(NS, "path");
      line.setAttribute("d", across ? `M${place} ${y.from}V${y.to}` : `M${x.from} ${place}H${x.to}`);
      line.setAttribute("class", "zoom-grid");
      const words = document.createElementNS(NS, "text");
      words.textContent = text;
      words.setAttribute("class", "zoom-text");
      words.setAttribute("x", across ? place : x.from - 5);
      words.setAttribute("y", across ? y.from + 13 : place + 3);
      words.setAttribute("text-anchor", across ? "middle" : "end");
      drawn.append(line, words);
    }

    const bar = document.createElement("div");
    bar.className = "switches";
    const legend = svg.querySelector(".legend");
    // A drawing without a legend of its own has too many lines for one, or none that has a name.
    if (legend && series.size > 1) {
      for (const [name, one] of series) bar.append(button(name, one));
      crop(svg, legend);
    }
    const reset = document.createElement("button");
    reset.type = "button";
    reset.textContent = "Whole drawing";
    reset.hidden = true;
    reset.addEventListener("click", () => { state.zoom = null; redraw(); });
    bar.append(reset);
    svg.before(bar);

    function button(name, one) {
      const made = document.createElement("button");
      made.type = "button";
      made.setAttribute("aria-pressed", String(!state.hidden.has(name)));
      const shape = one.groups.map((g) => g.querySelector("path[clip-path], use")).find(Boolean);
      const line = shape ? shape.style : {};
      const mark = document.createElementNS(NS, "svg");
      mark.setAttribute("viewBox", "0 0 22 8");
      mark.setAttribute("class", "mark");
      mark.setAttribute("aria-hidden", "true");
      const stroke = document.createElementNS(NS, "path");
      stroke.setAttribute("d", "M0 4H22");
      const lines = one.groups.map((g) => g.querySelector("path[clip-path]")).filter((p) => p && p.style.stroke);
      const style = lines.length ? lines[0].style : line;
      stroke.style.stroke = style.stroke && style.stroke !== "none" ? style.stroke : style.fill;
      stroke.style.strokeDasharray = style.strokeDasharray || "";
      stroke.style.strokeWidth = 3;
      mark.append(stroke);
      made.append(mark, document.createTextNode(name));
      made.addEventListener("click", () => {
        if (!state.hidden.delete(name)) state.hidden.add(name);
        made.setAttribute("aria-pressed", String(!state.hidden.has(name)));
        redraw();
      });
      return made;
    }

    function position(event) {
      const inside = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
      return [inside.x, inside.y];
    }
    function nearest(px, py) {
      let best = null, least = 18 * 18;
      for (const [name, one] of series) {
        if (state.hidden.has(name)) continue;
        for (const [ax, ay] of one.points) {
          const far = (zoomed(x, ax) - px) ** 2 + (zoomed(y, ay) - py) ** 2;
          if (far < least) { least = far; best = [name, ax, ay]; }
        }
      }
      return best;
    }
    const dot = document.createElementNS(NS, "circle");
    dot.setAttribute("r", "4");
    dot.setAttribute("class", "dot");
    const box = document.createElementNS(NS, "rect");
    box.setAttribute("class", "box");
    let from = null;
    svg.addEventListener("pointermove", (event) => {
      const [px, py] = position(event);
      if (from) { stretch(px, py); return; }
      dot.remove();
      const text = event.target.closest("[data-tip]");
      const found = x && y && series.size ? nearest(px, py) : null;
      if (found) {
        const [name, ax, ay] = found;
        dot.setAttribute("cx", zoomed(x, ax));
        dot.setAttribute("cy", zoomed(y, ay));
        svg.append(dot);
        show(event, `${name}\n${told(x, valueAt(x, ax))}\n${told(y, valueAt(y, ay))}`);
      } else if (text) {
        show(event, `${row(py)}${text.dataset.tip}${svg.dataset.rows ? `\nat ${number(valueAt(x, px))} s` : ""}`);
      } else {
        show(event, "");
      }
    });
    svg.addEventListener("pointerleave", (event) => { dot.remove(); show(event, ""); });
    function row(py) {
      if (!svg.dataset.rows) return "";
      const [top, high, ...names] = svg.dataset.rows.split(" ");
      const name = names[Math.floor((py - top) / high)];
      return name ? `${name}\n` : "";
    }
    function span(a, one, other) {
      const inside = (place) => Math.min(Math.max(place, Math.min(a.from, a.to)), Math.max(a.from, a.to));
      const [p, q] = [inside(one), inside(other)];
      return a.to > a.from ? [Math.min(p, q), Math.max(p, q)] : [Math.max(p, q), Math.min(p, q)];
    }
    function stretch(px, py) {
      const [x0, x1] = span(x, from[0], px), [y0, y1] = y.scale === "words" ? [y.from, y.to] : span(y, from[1], py);
      box.setAttribute("x", x0);
      box.setAttribute("width", Math.abs(x1 - x0));
      box.setAttribute("y", Math.min(y0, y1));
      box.setAttribute("height", Math.abs(y1 - y0));
      return [[x0, x1], [y0, y1]];
    }
    if (canZoom) {
      svg.classList.add("zooms");
      svg.addEventListener("pointerdown", (event) => {
        if (event.button !== 0 || event.pointerType === "touch") return; // a finger scrolls
        from = position(event);
        svg.setPointerCapture(event.pointerId);
        stretch(...from);
        svg.append(box);
        event.preventDefault();
      });
      const end = (event) => {
        if (!from) return;
        const [across, up] = stretch(...position(event));
        from = null;
        box.remove();
        if (event.type !== "pointerup" || Math.abs(across[1] - across[0]) < 6) return;
        if (y.scale !== "words" && Math.abs(up[1] - up[0]) < 6) return;
        state.zoom = { x: across.map((p) => unzoomed(x, p)), y: up.map((p) => unzoomed(y, p)) };
        redraw();
      };
      svg.addEventListener("pointerup", end);
      svg.addEventListener("pointercancel", end);
      svg.addEventListener("dblclick", () => { state.zoom = null; redraw(); });
    }
    redraw();
  }

  function crop(svg, legend) { // the buttons stand for the legend, so its room is given back
    legend.style.visibility = "hidden";
    const [left, top, wide, high] = svg.getAttribute("viewBox").split(" ").map(Number);
    let size;
    try { size = legend.getBBox(); } catch { return; }
    const cut = size.y + size.height - top;
    if (size.height > 0 && cut > 0 && cut < high / 2) svg.setAttribute("viewBox", `${left} ${top + cut} ${wide} ${high - cut}`);
  }

  return (root) => { for (const svg of root.querySelectorAll("figure svg:not(.mark)")) chart(svg); };
})();
charts(document);
