// The large maps.

/** A map with its tokens, which shows its values to the pointer and to the arrow keys. */
function drawMap(box, attention, weights, title) {
  const {queries, keys} = attention;
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  const font = `12px ${color("--mono")}`;
  pen.font = font;
  const shorten = text => {
    const letters = [...text];
    return letters.length > 16 ? letters.slice(0, 15).join("") + "…" : text;
  };
  const names = {queries: attention.queryNames.map(shorten), keys: attention.keyNames.map(shorten)};
  const longest = list => Math.max(...list.map(name => pen.measureText(name).width));
  const left = Math.ceil(longest(names.queries)) + 10;
  const top = Math.ceil(longest(names.keys) * 0.71) + 16;
  const right = Math.ceil(longest(names.keys.slice(-3)) * 0.71);
  // Small enough that two maps stand side by side, unless that were too small.
  const room = (box.closest(".maps").clientWidth - 56) / 2 - left - right;
  const beside = Math.floor(room / keys);
  const cell = Math.min(28, beside >= 17 ? beside : Math.max(15, Math.floor(400 / keys)));
  const width = left + keys * cell + right;
  const height = top + queries * cell + 4;
  const scale = document.documentElement.classList.contains("printing")
      ? 3 : Math.max(1, window.devicePixelRatio || 1);
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  canvas.tabIndex = 0;
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${title}; ${queries} queries, ${keys} keys. Arrow keys read ` +
                      "the weights.");
  const cells = paint(document.createElement("canvas"), weights, queries, keys);

  const draw = at => {
    pen.setTransform(scale, 0, 0, scale, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(cells, left, top, keys * cell, queries * cell);
    pen.strokeStyle = color("--paper");
    pen.lineWidth = 1;
    pen.beginPath();
    for (let key = 1; key < keys; ++key) {
      pen.moveTo(left + key * cell, top);
      pen.lineTo(left + key * cell, top + queries * cell);
    }
    for (let query = 1; query < queries; ++query) {
      pen.moveTo(left, top + query * cell);
      pen.lineTo(left + keys * cell, top + query * cell);
    }
    pen.stroke();
    pen.font = font;
    pen.textBaseline = "middle";
    const [ink, muted, accent] = ["--ink", "--muted", "--accent"].map(color);
    pen.textAlign = "right";
    names.queries.forEach((name, query) => {
      pen.fillStyle = at ? (at.query === query ? accent : muted) : ink;
      pen.fillText(name, left - 7, top + (query + 0.5) * cell);
    });
    pen.textAlign = "left";
    names.keys.forEach((name, key) => {
      pen.fillStyle = at ? (at.key === key ? accent : muted) : ink;
      pen.save();
      pen.translate(left + (key + 0.5) * cell, top - 6);
      pen.rotate(-Math.PI / 4);
      pen.fillText(name, 0, 0);
      pen.restore();
    });
    if (!at) return;
    pen.strokeStyle = accent;
    pen.lineWidth = 2;
    pen.strokeRect(left + at.key * cell, top + at.query * cell, cell, cell);
  };
  const tell = ({query, key}) => {
    const [looks, at] = describe(attention, query, key);
    return [`${looks} ${at}`, weights[query * keys + key].toFixed(4)];
  };

  canvas.addEventListener("pointermove", event => {
    const query = Math.floor((event.offsetY - top) / cell);
    const key = Math.floor((event.offsetX - left) / cell);
    const inside = query >= 0 && query < queries && key >= 0 && key < keys;
    draw(inside ? {query, key} : null);
    showTip(inside ? tell({query, key}) : null, event);
  });
  canvas.addEventListener("pointerleave", () => { draw(null); showTip(null); });
  let cursor = {query: 0, key: 0};
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) draw(cursor);
  });
  canvas.addEventListener("blur", () => draw(null));
  canvas.addEventListener("keydown", event => {
    const [down, across] = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1],
                            ArrowRight: [0, 1]}[event.key] ?? [0, 0];
    if (event.key === "Escape") {
      $(`head-${chosen[place].layer}-${chosen[place].head}`).focus();
    }
    if (!down && !across) return;
    event.preventDefault();
    cursor = {query: Math.max(0, Math.min(queries - 1, cursor.query + down)),
              key: Math.max(0, Math.min(keys - 1, cursor.key + across))};
    draw(cursor);
    $("readout").textContent = tell(cursor).join(": ");
  });
  draw(null);
  box.replaceChildren(canvas);
}

/** The value under the pointer, beside it; null hides it. */
function showTip(lines, event) {
  const tip = $("tip") ?? add(document.body, "div", {id: "tip"});
  tip.hidden = !lines;
  if (!lines) return;
  tip.replaceChildren();
  add(tip, "b", {}, lines[1]);
  add(tip, "div", {}, lines[0]);
  const {width, height} = tip.getBoundingClientRect();
  tip.style.left = `${Math.min(event.clientX + 16, window.innerWidth - width - 8)}px`;
  tip.style.top = `${Math.min(event.clientY + 16, window.innerHeight - height - 8)}px`;
}
