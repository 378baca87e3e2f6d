// The sentences, and the alignment of their words.

function drawHeader() {
  document.title = `Attention: ${data.source.text}`;
  $("source-text").textContent = data.source.text;
  $("target-text").textContent = data.target.text;
  document.querySelector("header").classList.toggle("long", data.source.text.length > 110);
  $("meta").textContent = [
    data.target.translated ? "the model’s own translation" : "translation as given",
    `log-probability ${data.target.log_probability.toFixed(3)}`,
    data.model, `Calque ${data.calque}`].join("  ·  ");
  $("alignment-note").textContent =
      `What each word of the translation takes from each word of the source: the mean over the ` +
      `heads of the decoder’s layer ${data.alignment.layer}. The thicker, the more.`;
}

const svgNames = "http://www.w3.org/2000/svg";
function addSvg(parent, tag, attributes, text = "") {
  const element = document.createElementNS(svgNames, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(text);
  parent.append(element);
  return element;
}

/**
 * Where the words stand: as two lines of text where they fit, else as two columns. Of each word its
 * anchor, and how far from it its links begin.
 */
function layOutWords(source, target) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `500 15px ${getComputedStyle(document.body).fontFamily}`;
  const widths = words => words.map(word => Math.ceil(pen.measureText(word).width));
  const gap = 22;
  const length = list => list.reduce((sum, width) => sum + width + gap, -gap);
  const [sourceWidths, targetWidths] = [widths(source), widths(target)];
  const across = Math.max(length(sourceWidths), length(targetWidths), 1);
  if (across <= $("alignment").clientWidth) {
    const line = (list, y, port) => {
      let end = (across - length(list)) / 2 - gap;
      return list.map(width => {
        end += gap + width;
        return {x: end - width / 2, y, port};
      });
    };
    return {lying: true, from: line(sourceWidths, 18, 8), to: line(targetWidths, 130, -18),
            width: across, height: 140};
  }
  const column = (list, x, port) => list.map((_, i) => ({x, y: 24 * i + 16, port}));
  const left = Math.max(...sourceWidths, 1);
  const distance = 240;
  return {lying: false, from: column(source, left, 8), to: column(target, left + distance, -8),
          width: left + distance + Math.max(...targetWidths, 1),
          height: 24 * Math.max(source.length, target.length) + 4};
}

/** From the word at `a` to that at `b`. */
function curve(lying, a, b) {
  if (lying) {
    return `M${a.x} ${a.y + a.port}C${a.x} ${a.y + 55} ${b.x} ${b.y - 62} ${b.x} ${b.y + b.port}`;
  }
  const middle = (a.x + b.x) / 2;
  return `M${a.x + a.port} ${a.y - 5}C${middle} ${a.y - 5} ${middle} ${b.y - 5} ` +
         `${b.x + b.port} ${b.y - 5}`;
}

/** Both sentences with links between their words, the thicker the more weight. */
function drawAlignment() {
  const [source, target] = [data.source.words, data.target.words];
  const {lying, from, to, width, height} = layOutWords(source, target);
  document.querySelector(".alignment").classList.toggle("tall", !lying);
  const weight = (t, s) => data.alignment.weights[t * source.length + s];
  const best = target.map((word, t) => {
    const s = source.reduce((most, _, i) => weight(t, i) > weight(t, most) ? i : most, 0);
    return `${word} from ${source[s]} ${Math.round(100 * weight(t, s))} %`;
  });
  $("alignment").replaceChildren();
  const svg = addSvg($("alignment"), "svg", {
    role: "img", width, height, viewBox: `0 0 ${width} ${height}`,
    "aria-label": `Alignment: ${best.join("; ")}`});

  const links = target.flatMap((_, t) => source.map((_, s) => ({s, t, w: weight(t, s)})))
      .filter(link => link.w >= 0.03);
  for (const link of links) {
    link.path = addSvg(svg, "path", {
      d: curve(lying, from[link.s], to[link.t]),
      "stroke-width": 0.75 + 4.5 * link.w, "stroke-opacity": 0.15 + 0.75 * link.w});
    addSvg(link.path, "title", {}, `${source[link.s]} – ${target[link.t]}: ${link.w.toFixed(3)}`);
  }
  const addWords = (words, places, end, anchor) => words.forEach((text, i) => {
    const {x, y} = places[i];
    const label = addSvg(svg, "text", {x, y, "text-anchor": lying ? "middle" : anchor}, text);
    label.addEventListener("pointerenter", () => links.forEach(
        link => link.path.classList.toggle("faded", link[end] !== i)));
    label.addEventListener(
        "pointerleave", () => links.forEach(link => link.path.classList.remove("faded")));
  });
  addWords(source, from, "s", "end");
  addWords(target, to, "t", "start");
}
