// The large maps.

/** A matrix of weights with its tokens, which shows its values to the pointer and to the arrow keys. */
class WeightMap {
  constructor(box, attention, weights, title) {
    Object.assign(this, {attention, weights, queries: attention.queries, keys: attention.keys});
    this.canvas = document.createElement("canvas");
    this.pen = this.canvas.getContext("2d");
    this.layOut(box);
    this.cells = paint(document.createElement("canvas"), weights, this.queries, this.keys);
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute(
        "aria-label", `${title}; ${this.queries} queries, ${this.keys} keys. Arrow keys read the ` +
        "weights.");
    this.listen();
    this.draw(null);
    box.replaceChildren(this.canvas);
  }

  /** Sizes, in pixels: a square for each weight, and room for the tokens. */
  layOut(box) {
    this.font = `12px ${color("--mono")}`;
    this.pen.font = this.font;
    const shorten = text => {
      const letters = [...text];
      return letters.length > 16 ? letters.slice(0, 15).join("") + "…" : text;
    };
    this.queryNames = this.attention.queryNames.map(shorten);
    this.keyNames = this.attention.keyNames.map(shorten);
    const longest = names => Math.max(...names.map(name => this.pen.measureText(name).width));
    this.left = Math.ceil(longest(this.queryNames)) + 10;
    this.top = Math.ceil(longest(this.keyNames) * 0.71) + 16;
    const right = Math.ceil(longest(this.keyNames.slice(-3)) * 0.71);
    // Small enough that two maps stand side by side, unless that were too small.
    const room = (box.closest(".maps").clientWidth - 56) / 2 - this.left - right;
    const beside = Math.floor(room / this.keys);
    this.cell = Math.min(28, beside >= 17 ? beside : Math.max(15, Math.floor(400 / this.keys)));
    this.width = this.left + this.keys * this.cell + right;
    this.height = this.top + this.queries * this.cell + 4;
    const printing = document.documentElement.classList.contains("printing");
    this.scale = printing ? 3 : Math.max(1, window.devicePixelRatio || 1);
    this.canvas.width = this.width * this.scale;
    this.canvas.height = this.height * this.scale;
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
  }

  /** `at`: the query and key that are marked, or null. */
  draw(at) {
    const {pen, left, top, cell, queries, keys} = this;
    pen.setTransform(this.scale, 0, 0, this.scale, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.imageSmoothingEnabled = false;
    pen.drawImage(this.cells, left, top, keys * cell, queries * cell);
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
    this.drawNames(at);
    if (!at) return;
    pen.strokeStyle = color("--accent");
    pen.lineWidth = 2;
    pen.strokeRect(left + at.key * cell, top + at.query * cell, cell, cell);
  }

  drawNames(at) {
    const {pen, left, top, cell} = this;
    const [ink, muted, accent] = ["--ink", "--muted", "--accent"].map(color);
    pen.font = this.font;
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    this.queryNames.forEach((name, query) => {
      pen.fillStyle = at ? (at.query === query ? accent : muted) : ink;
      pen.fillText(name, left - 7, top + (query + 0.5) * cell);
    });
    pen.textAlign = "left";
    this.keyNames.forEach((name, key) => {
      pen.fillStyle = at ? (at.key === key ? accent : muted) : ink;
      pen.save();
      pen.translate(left + (key + 0.5) * cell, top - 6);
      pen.rotate(-Math.PI / 4);
      pen.fillText(name, 0, 0);
      pen.restore();
    });
  }

  /** A query, its key, and the weight, in words. */
  describe({query, key}) {
    return [describe(this.attention, query, key),
            this.weights[query * this.keys + key].toFixed(4)];
  }

  listen() {
    const {canvas} = this;
    canvas.addEventListener("pointermove", event => {
      const query = Math.floor((event.offsetY - this.top) / this.cell);
      const key = Math.floor((event.offsetX - this.left) / this.cell);
      const inside = query >= 0 && query < this.queries && key >= 0 && key < this.keys;
      this.draw(inside ? {query, key} : null);
      showTip(inside ? this.describe({query, key}) : null, event);
    });
    canvas.addEventListener("pointerleave", () => { this.draw(null); showTip(null); });
    let cursor = {query: 0, key: 0};
    canvas.addEventListener("focus", () => {
      if (canvas.matches(":focus-visible")) this.draw(cursor);
    });
    canvas.addEventListener("blur", () => this.draw(null));
    canvas.addEventListener("keydown", event => {
      if (event.key === "Escape") headButton().focus();
      const step = {ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1],
                    ArrowRight: [0, 1]}[event.key];
      if (!step) return;
      event.preventDefault();
      cursor = {query: Math.max(0, Math.min(this.queries - 1, cursor.query + step[0])),
                key: Math.max(0, Math.min(this.keys - 1, cursor.key + step[1]))};
      this.draw(cursor);
      $("readout").textContent = this.describe(cursor).join(": ");
    });
  }
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
