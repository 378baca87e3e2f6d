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

/** Both sentences with lines between their words: as lines of text where they fit, else as columns. */
function drawAlignment() {
  const [source, target] = [data.source.words, data.target.words];
  const weight = (t, s) => data.alignment.weights[t * source.length + s];
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `500 15px ${getComputedStyle(document.body).fontFamily}`;
  const widths = words => words.map(word => Math.ceil(pen.measureText(word).width));
  const [sourceWidths, targetWidths] = [widths(source), widths(target)];
  const gap = 22;
  const length = list => list.reduce((sum, width) => sum + width + gap, -gap);
  const across = Math.max(length(sourceWidths), length(targetWidths), 1);
  const lying = across <= $("alignment").clientWidth;
  const column = Math.max(...sourceWidths, 1);
  const distance = 240;  // from one column to the other

  // The middle of each word, and where its lines begin.
  const places = (list, far) => {
    let at = lying ? (across - length(list)) / 2 : 0;
    return list.map((width, i) => {
      if (!lying) return {x: far ? column + distance : column, y: 24 * i + 16, port: far ? -8 : 8};
      at += width + gap;
      return {x: at - gap - width / 2, y: far ? 130 : 18, port: far ? -18 : 8};
    });
  };
  const [from, to] = [places(sourceWidths, false), places(targetWidths, true)];
  const width = lying ? across : column + distance + Math.max(...targetWidths, 1);
  const height = lying ? 140 : 24 * Math.max(source.length, target.length) + 4;
  document.querySelector(".alignment").classList.toggle("tall", !lying);

  const links = target.flatMap((_, t) => source.map((_, s) => ({s, t, w: weight(t, s)})))
      .filter(link => link.w >= 0.03);
  const best = target.map((word, t) => {
    const s = source.reduce((most, _, i) => weight(t, i) > weight(t, most) ? i : most, 0);
    return `${word} from ${source[s]} ${Math.round(100 * weight(t, s))} %`;
  });
  const svg = document.createElementNS(svgNames, "svg");
  for (const [name, value] of Object.entries({
    role: "img", width, height, viewBox: `0 0 ${width} ${height}`,
    "aria-label": `Alignment: ${best.join("; ")}`})) svg.setAttribute(name, value);
  for (const link of links) {
    const [a, b] = [from[link.s], to[link.t]];
    const curve = lying
        ? `M${a.x} ${a.y + a.port}C${a.x} ${a.y + 55} ${b.x} ${b.y - 62} ${b.x} ${b.y + b.port}`
        : `M${a.x + a.port} ${a.y - 5}C${a.x + distance / 2} ${a.y - 5} ${b.x - distance / 2} ${b.y - 5} ` +
          `${b.x + b.port} ${b.y - 5}`;
    link.path = addSvg(svg, "path", {
      d: curve, "stroke-width": 0.75 + 4.5 * link.w, "stroke-opacity": 0.15 + 0.75 * link.w});
    addSvg(link.path, "title", {}, `${source[link.s]} – ${target[link.t]}: ${link.w.toFixed(3)}`);
  }
  const word = (text, {x, y}, far, end) => {
    const label = addSvg(svg, "text", {
      x, y, "text-anchor": lying ? "middle" : far ? "start" : "end"}, text);
    label.addEventListener("pointerenter", () => links.forEach(
        link => link.path.classList.toggle("faded", link[end] !== Number(label.dataset.index))));
    label.addEventListener("pointerleave",
                           () => links.forEach(link => link.path.classList.remove("faded")));
    return label;
  };
  source.forEach((text, i) => word(text, from[i], false, "s").dataset.index = i);
  target.forEach((text, i) => word(text, to[i], true, "t").dataset.index = i);
  $("alignment").replaceChildren(svg);
}
