// The page of a run that goes on: each new body takes the place of the former one; at the end the report does.
"use strict";
(() => {
  const place = document.getElementById("live");
  let held = null; // a body that came while the reader dragged or a button had the focus of a press
  let pressed = false;
  function put(html) {
    const focused = place.contains(document.activeElement) ? document.activeElement.textContent : null;
    place.innerHTML = html;
    charts(place);
    if (focused) [...place.querySelectorAll("button")].find((one) => one.textContent === focused)?.focus();
  }
  addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel"]) {
    addEventListener(end, () => { pressed = false; if (held !== null) setTimeout(() => { put(held); held = null; }, 0); });
  }
  const source = new EventSource("updates");
  source.addEventListener("body", (event) => {
    const html = JSON.parse(event.data);
    if (pressed) held = html; else put(html);
  });
  source.addEventListener("end", () => { source.close(); location.reload(); });
  source.addEventListener("error", () => {
    document.getElementById("state").textContent = "The run has ended, or its driver cannot be reached.";
  });
  source.addEventListener("open", () => { document.getElementById("state").textContent = ""; });
})();
