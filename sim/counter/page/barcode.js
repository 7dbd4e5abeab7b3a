"use strict";
// EAN-13 and EAN-8 as the bars on the goods (GS1 General Specifications 5.2).

const L = ["0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011"];
const PARITY = ["LLLLLL", "LLGLGG", "LLGGLG", "LLGGGL", "LGLLGG", "LGGLLG", "LGGGLL", "LGLGLG", "LGLGGL", "LGGLGL"];

function modules(code) {
  if (!/^(\d{8}|\d{13})$/.test(code)) return "";
  const right = (d) => [...L[d]].map((m) => 1 - m).join("");
  const mirrored = (d) => [...right(d)].reverse().join("");
  const long = code.length === 13;
  const digits = long ? code.slice(1) : code;
  const half = digits.length / 2;
  const parity = long ? PARITY[code[0]] : "LLLL";
  const left = [...digits.slice(0, half)].map((d, i) => (parity[i] === "G" ? mirrored(d) : L[d]));
  return "101" + left.join("") + "01010" + [...digits.slice(half)].map(right).join("") + "101";
}

function drawBars(svg) {
  const bars = modules(svg.dataset.code);
  if (!bars) return;
  let d = "";
  for (let x = 0; x < bars.length; x++) if (bars[x] === "1") d += `M${x} 0h1v1h-1z`;
  svg.setAttribute("viewBox", `0 0 ${bars.length} 1`);
  svg.setAttribute("shape-rendering", "crispEdges");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", d);
  svg.append(path);
}

for (const svg of document.querySelectorAll("svg[data-code]")) drawBars(svg);
