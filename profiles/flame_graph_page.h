#pragma once

namespace cgo {

/// What a flame graph has beside its frames.
inline constexpr char kFlameGraphStyle[] = R"css(
  svg { background: #ffffff; }
  text { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 12px; fill: #1a1a1a; }
  .title { font-size: 17px; font-weight: bold; }
  .small { font-size: 11px; fill: #555555; }
  .button { cursor: pointer; fill: #0b5394; text-decoration: underline; }
  .frame { cursor: pointer; }
  .frame rect { stroke: #ffffff; stroke-width: 0.5; }
  .frame:hover rect { stroke: #000000; stroke-width: 1; }
  .frame text { pointer-events: none; }
  .above { opacity: 0.45; }
  .go { fill: #8ecae6; }
  .c { fill: #f6bd60; }
  .crossing { fill: #c3a6e8; }
  .lost { fill: #ef8a80; }
  .unclear { fill: #cccccc; }
  .note { fill: #e4e4e4; }
  .hit rect { fill: #ff3df2; }
)css";

inline constexpr char kFlameGraphScript[] = R"js(
"use strict";
(() => {
  const root = document.documentElement;
  const left = Number(root.dataset.left), width = Number(root.dataset.width);
  const charWidth = Number(root.dataset.charWidth), unit = root.dataset.unit;
  const info = document.getElementById("info"), matched = document.getElementById("matched");
  const frames = Array.from(document.querySelectorAll(".frame"), (group) => {
    const title = group.querySelector("title").textContent;
    return {
      group, title,
      name: title.slice(0, title.lastIndexOf(" (")),
      rect: group.querySelector("rect"), text: group.querySelector("text"),
      start: Number(group.dataset.start), weight: Number(group.dataset.weight), depth: Number(group.dataset.depth),
    };
  });
  const total = frames.length ? frames[0].weight : 0;

  function put(frame, x, wide) {
    frame.rect.setAttribute("x", x);
    frame.rect.setAttribute("width", wide);
    frame.text.setAttribute("x", x + 3);
    const room = Math.floor((wide - 6) / charWidth), letters = Array.from(frame.name);
    frame.text.textContent = room < 3 ? "" : letters.length <= room ? frame.name : letters.slice(0, room - 1).join("") + "…";
  }

  function zoom(to) {
    const end = to.start + to.weight;
    for (const frame of frames) {
      const over = frame.start + frame.weight;
      const above = frame.depth < to.depth && frame.start <= to.start && over >= end;
      const inside = frame.depth >= to.depth && frame.start >= to.start && over <= end;
      frame.group.style.display = above || inside ? "" : "none";
      frame.group.classList.toggle("above", above);
      if (above) put(frame, left, width);
      if (inside) put(frame, left + (frame.start - to.start) / to.weight * width, frame.weight / to.weight * width);
    }
    document.getElementById("reset").style.display = to === frames[0] ? "none" : "";
  }

  function search(words) {
    let wanted = null;
    if (words) {
      try { wanted = new RegExp(words, "i"); }
      catch { wanted = { test: (name) => name.toLowerCase().includes(words.toLowerCase()) }; }
    }
    const hits = frames.filter((frame) => {
      const hit = wanted !== null && wanted.test(frame.name);
      frame.group.classList.toggle("hit", hit);
      return hit;
    });
    hits.sort((a, b) => a.start - b.start || a.depth - b.depth);
    let sum = 0, end = 0;
    for (const hit of hits) {
      const over = hit.start + hit.weight;
      if (over > end) sum += over - Math.max(end, hit.start);
      end = Math.max(end, over);
    }
    const part = total ? (100 * sum / total).toFixed(2) : "0.00";
    matched.textContent = wanted === null ? "" : `'${words}' is in ${hits.length} frames: ${sum} ${unit}, ${part}%`;
  }

  function ask() {
    const words = prompt("Search for a name (a regular expression); nothing ends the search", "");
    if (words !== null) search(words);
  }

  for (const frame of frames) {
    frame.group.addEventListener("click", () => zoom(frame));
    frame.group.addEventListener("mouseenter", () => { info.textContent = frame.title; });
    frame.group.addEventListener("mouseleave", () => { info.textContent = ""; });
  }
  const reset = () => { if (frames.length) zoom(frames[0]); };
  document.getElementById("reset").addEventListener("click", reset);
  document.getElementById("search").addEventListener("click", ask);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { reset(); search(""); }
    if (event.key === "/" || (event.key === "f" && (event.ctrlKey || event.metaKey))) {
      event.preventDefault();
      ask();
    }
  });
  // A link may say what to look for: "#search=sqlite3_".
  const asked = decodeURIComponent(location.hash).match(/^#search=(.*)$/s);
  if (asked) search(asked[1]);
})();
)js";

}  // namespace cgo
