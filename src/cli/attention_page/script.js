"use strict";

// What is shown: the numbers of the page, and which head of each attention is chosen.
const data = JSON.parse(document.getElementById("numbers").textContent);
const chosen = data.attentions.map(() => ({layer: 0, head: 0}));
let place = data.attentions.length - 1;  // of data.attentions
chosen[place].layer = data.alignment.layer - 1;

const $ = id => document.getElementById(id);

/** A new element below `parent`, with properties, and text that is never markup. */
function add(parent, tag, properties = {}, text = "") {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element && !name.startsWith("aria")) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(text);
  parent.append(element);
  return element;
}

/** Numbers of 16 bits, of 65535ths, in base64. */
function decode(text) {
  const bytes = atob(text);
  const numbers = new Float32Array(bytes.length / 2);
  for (let i = 0; i < numbers.length; ++i) {
    numbers[i] = (bytes.charCodeAt(2 * i) | bytes.charCodeAt(2 * i + 1) << 8) / 65535;
  }
  return numbers;
}

for (const attention of data.attentions) {
  attention.weights = decode(attention.weights);
  attention.rollout = decode(attention.rollout);
  const inEncoder = attention.name === "encoder_self";
  const cross = attention.name === "decoder_cross";
  attention.keyNames = inEncoder || cross ? data.source.tokens : data.target.inputs;
  attention.queryNames =
      inEncoder ? data.source.tokens : cross ? data.target.outputs : data.target.inputs;
}
data.alignment.weights = decode(data.alignment.weights);

/** The weights of matrix `index` of a list of them: [queries, keys]. */
const matrix = (attention, numbers, index) => {
  const size = attention.queries * attention.keys;
  return numbers.subarray(index * size, (index + 1) * size);
};

// Colours. They stand in the style sheet, for light, dark and paper.

const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** 256 colours of weights, as [red, green, blue]; step i is that of the weight (i / 255)^2. */
function makeRamp() {
  const stops = color("--ramp").split(/\s+/).map(
      hex => [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({length: 256}, (_, i) => {
    const at = i / 255 * (stops.length - 1);
    const low = Math.min(Math.floor(at), stops.length - 2);
    return stops[low].map((value, k) => value + (at - low) * (stops[low + 1][k] - value));
  });
}
let ramp = makeRamp();

/** A canvas with a pixel for each weight. */
function paint(canvas, weights, rows, columns) {
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  weights.forEach((weight, i) => {
    image.data.set(ramp[Math.round(255 * Math.sqrt(weight))], 4 * i);
    image.data[4 * i + 3] = 255;
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

// The overview: the attentions, and all heads of the one that is shown.

function drawPlaces() {
  $("places").replaceChildren();
  data.attentions.forEach((attention, i) => {
    const tab = add($("places"), "button", {
      role: "tab", id: `place-${i}`, "aria-selected": i === place, "aria-controls": "panel",
      tabIndex: i === place ? 0 : -1, onclick: () => choosePlace(i),
    }, attention.title);
    tab.addEventListener("keydown", event => {
      const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
      if (!step) return;
      event.preventDefault();
      choosePlace((i + step + data.attentions.length) % data.attentions.length);
      $(`place-${place}`).focus();
    });
  });
  $("panel").setAttribute("aria-labelledby", `place-${place}`);
}

function drawHeads() {
  const attention = data.attentions[place];
  const size = Math.max(46, Math.min(96, Math.floor(560 / attention.heads) - 20));
  const height = Math.round(size * Math.max(0.5, Math.min(1.6, attention.queries / attention.keys)));
  const grid = $("heads");
  grid.style.gridTemplateColumns = `auto repeat(${attention.heads}, ${size + 12}px)`;
  grid.replaceChildren();
  const titles = add(grid, "div", {role: "row"});
  add(titles, "span", {className: "axis", role: "columnheader"}, "");
  for (let head = 1; head <= attention.heads; ++head) {
    add(titles, "span", {className: "axis column", role: "columnheader"}, `${head}`);
  }
  attention.figures.forEach((ofLayer, layer) => {
    const row = add(grid, "div", {role: "row"});
    add(row, "span", {className: "axis row", role: "rowheader"}, `${layer + 1}`);
    ofLayer.forEach((figures, head) => {
      const button = add(row, "button", {
        className: "head", role: "gridcell", id: `head-${layer}-${head}`,
        onclick: () => chooseHead(layer, head), onkeydown: moveHead,
        "aria-label": `Layer ${layer + 1}, head ${head + 1}: ${figures.character}, entropy ` +
            `${figures.entropy.toFixed(2)} bits`});
      const weights = matrix(attention, attention.weights, layer * attention.heads + head);
      const canvas = add(button, "canvas", {"aria-hidden": true});
      canvas.style.height = `${height}px`;
      if (attention.keys > size) canvas.style.imageRendering = "auto";  // more weights than pixels
      paint(canvas, weights, attention.queries, attention.keys);
      const caption = add(button, "span", {"aria-hidden": true}, figures.character);
      add(caption, "small", {}, figures.entropy.toFixed(2));
    });
  });
  markHead();
}

/** Marks the head that is chosen; it alone is reached by Tab. */
function markHead() {
  const {layer, head} = chosen[place];
  for (const button of document.querySelectorAll(".head")) {
    const here = button.id === `head-${layer}-${head}`;
    button.setAttribute("aria-selected", here);
    button.tabIndex = here ? 0 : -1;
  }
}

/** That of the chosen head. */
const headButton = () => $(`head-${chosen[place].layer}-${chosen[place].head}`);

function moveHead(event) {
  const attention = data.attentions[place];
  const {layer, head} = chosen[place];
  const moves = {
    ArrowLeft: [layer, head - 1], ArrowRight: [layer, head + 1],
    ArrowUp: [layer - 1, head], ArrowDown: [layer + 1, head],
    Home: [layer, 0], End: [layer, attention.heads - 1]};
  if (event.key === "Enter") {
    event.preventDefault();
    return document.querySelector("#weights canvas").focus();
  }
  if (!(event.key in moves)) return;
  event.preventDefault();
  const [toLayer, toHead] = moves[event.key];
  if (!attention.figures[toLayer]?.[toHead]) return;
  chooseHead(toLayer, toHead);
  headButton().focus();
}

function choosePlace(i) {
  place = i;
  drawPlaces();
  drawHeads();
  drawDetail();
}

function chooseHead(layer, head) {
  chosen[place] = {layer, head};
  markHead();
  drawDetail();
}

function drawLegend() {
  const bar = add($("legend"), "div");
  $("legend").replaceChildren("weight", bar);
  const steps = Array.from({length: 256}, (_, i) => (i / 255) ** 2);
  paint(add(bar, "canvas"), steps, 1, 256);
  for (const weight of [0, 0.05, 0.25, 0.5, 1]) {
    add(bar, "span", {style: `left: ${100 * Math.sqrt(weight)}%`}, `${weight}`);
  }
}

// The chosen head, large.

const meanings = {
  diagonal: {
    self: "most of the weight is on the token itself",
    cross: "both sentences are walked through at an even pace"},
  previous: {self: "most of the weight is on the token before"},
  next: {self: "most of the weight is on the token behind"},
  first: {self: "most of the weight is on the first token",
          cross: "most of the weight is on the first token of the source"},
  end: {self: "most of the weight is on the end of the sentence",
        cross: "most of the weight is on the end of the source"},
  spread: {self: "nearly uniform over all tokens"},
  focused: {self: "one token has most of the weight, wherever it is"},
  mixed: {self: "no place has most of the weight"},
};

function drawDetail() {
  const attention = data.attentions[place];
  const {layer, head} = chosen[place];
  const figures = attention.figures[layer][head];
  const meaning = meanings[figures.character];
  $("head-title").textContent = `Layer ${layer + 1}, head ${head + 1}`;
  $("head-character").replaceChildren();
  add($("head-character"), "b", {}, figures.character);
  $("head-character").append(
      `: ${attention.name === "decoder_cross" && meaning.cross || meaning.self}`);
  $("head-figures").replaceChildren();
  const figure = (name, value, more) => {
    const group = add($("head-figures"), "div");
    add(group, "dt", {}, name);
    add(add(group, "dd", {}, value), "small", {}, ` ${more}`);
  };
  figure("Entropy", figures.entropy.toFixed(2), "bits");
  figure("of uniform", `${Math.round(100 * figures.relative_entropy)} %`, "");
  figure("Largest weight", figures.largest_weight.toFixed(2), "on average");
  $("rollout-title").textContent =
      layer === 0 ? "Rollout of layer 1, all heads" : `Rollout through layers 1 to ${layer + 1}`;
  $("readout").textContent = "";
  const index = layer * attention.heads + head;
  new WeightMap($("weights"), attention, matrix(attention, attention.weights, index),
          `Weights of layer ${layer + 1}, head ${head + 1}`);
  new WeightMap($("rollout"), attention, matrix(attention, attention.rollout, layer),
          $("rollout-title").textContent);
}

/** A query and a key in words. */
function describe(attention, query, key) {
  const to = attention.keyNames[key];
  if (attention.name === "encoder_self") return `${attention.queryNames[query]} looks at ${to}`;
  return `reads ${data.target.inputs[query]} to say ${data.target.outputs[query]}, looks at ${to}`;
}

function drawAll() {
  ramp = makeRamp();
  drawAlignment();
  drawPlaces();
  drawHeads();
  drawLegend();
  drawDetail();
}

drawHeader();
drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
window.addEventListener("resize", () => { drawAlignment(); drawDetail(); });
for (const [event, printing] of [["beforeprint", true], ["afterprint", false]]) {
  window.addEventListener(event, () => {
    document.documentElement.classList.toggle("printing", printing);
    drawAll();
  });
}
