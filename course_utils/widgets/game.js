// The board of game.py: a plane to draw points on, and the game of two networks that train on them.
//
// From Python: shapes (names to choose from), view (made, mesh and arrows as float32, verdict in parts of 255, in
// bytes), message and failed. To and fro: points (the real ones), shape, and running, which the button sets and the end
// of a run takes back. Back to Python, as messages: {do: "step"} and {do: "again"}.

const BOARD =
  "box-sizing: border-box; display: flex; flex-wrap: wrap; gap: 0.8em 1.6em; padding: 0.8em 1em; " +
  "border: 1px solid #bbb; border-radius: 4px; background: white; color: black; font: 14px/1.4 sans-serif; " +
  "color-scheme: light;";
const PLANE = "flex: none; border: 1px solid #888; cursor: crosshair; touch-action: none; user-select: none;";
const SIDE = "flex: 1 0 17em; max-width: 26em; display: flex; flex-direction: column; gap: 0.7em;";
const LINE = "display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em;";
const BUTTON =
  "padding: 0.35em 0.9em; border: 1px solid #666; border-radius: 3px; background: white; color: black; " +
  "font: 14px sans-serif; cursor: pointer;";
const MAIN =
  "min-width: 5.5em; padding: 0.35em 1em; border: 1px solid #005a8e; border-radius: 3px; background: #0072B2; " +
  "color: white; font: bold 14px sans-serif; cursor: pointer;";
const LEGEND = "display: grid; grid-template-columns: 2.2em 1fr; align-items: center; gap: 0.2em 0.6em; font-size: 13px;";
const NOTE = "font-size: 12px; color: #444;";

const SIZE = 460; // of the plane on the page, in pixels
const LIMIT = 2; // coordinates go from −2 to 2
const MESH_SIDE = 21;
const MAP_SIDE = 64;
const MOST_POINTS = 2000;
const [REAL, MADE, INK, MESH] = ["#D55E00", "#0072B2", "#000000", "#595959"];
const [SAYS_REAL, UNSURE, SAYS_MADE] = ["#F2BF9E", "#FFFFFF", "#99C7E0"];
const SPACING = 0.06; // between the points of a stroke, along it
const SPREAD = 0.05; // their standard deviation across it
const DAB = 5; // points where the mouse is only pressed
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
const STEP = 0.05; // of the cross; five times as far with Shift
const BY_HAND = "drawn by hand";

function make(tag, style, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.style.cssText = style;
  element.append(...children);
  return element;
}

const parts = (colour) => [1, 3, 5].map((start) => parseInt(colour.slice(start, start + 2), 16));
const RAMP = Array.from({ length: 256 }, (_, level) => {
  const [from, to, share] = level < 128 ? [SAYS_MADE, UNSURE, level / 127.5] : [UNSURE, SAYS_REAL, level / 127.5 - 1];
  return parts(from).map((part, index) => Math.round(part + share * (parts(to)[index] - part)));
});

// Standard normal, by the method of Box and Muller.
const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
const within = (coordinate) => Math.min(Math.max(coordinate, -LIMIT), LIMIT);
const bytes = (view) => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);

// What the marks mean.
function legend() {
  const swatch = (style) => make("span", `justify-self: center; ${style}`);
  const ramp = `${SAYS_MADE}, ${UNSURE}, ${SAYS_REAL}`;
  return make(
    "div",
    LEGEND,
    {},
    swatch(`width: 6px; height: 6px; background: ${REAL};`),
    "real points",
    swatch(`width: 8px; height: 8px; border-radius: 50%; background: ${MADE};`),
    "made points",
    swatch(`width: 2em; height: 1px; background: ${MESH};`),
    "latent grid, carried through G",
    make("span", `justify-self: center; font-weight: bold; color: ${INK};`, { textContent: "→" }),
    "where the loss of G pulls a made point",
    swatch(`width: 2em; height: 0.9em; border: 1px solid #bbb; background: linear-gradient(to right, ${ramp});`),
    "D(x): made, cannot tell, real",
  );
}

// A function that draws a view, the real points and the cross on the canvas.
function painter(canvas) {
  const sharpness = Math.max(window.devicePixelRatio || 1, 1);
  canvas.width = canvas.height = Math.round(SIZE * sharpness);
  canvas.style.width = canvas.style.height = `${SIZE}px`;
  const pen = canvas.getContext("2d");
  const map = make("canvas", "", { width: MAP_SIDE, height: MAP_SIDE });
  const across = (x) => ((x + LIMIT) / (2 * LIMIT)) * SIZE;
  const down = (y) => ((LIMIT - y) / (2 * LIMIT)) * SIZE;
  function drawLine(places) {
    pen.beginPath();
    for (const [x, y] of places) pen.lineTo(across(x), down(y));
    pen.stroke();
  }
  function drawArrow(x, y, dx, dy) {
    const [fromX, fromY, toX, toY] = [across(x), down(y), across(x + dx), down(y + dy)];
    const [length, angle] = [Math.hypot(toX - fromX, toY - fromY), Math.atan2(toY - fromY, toX - fromX)];
    const head = Math.min(6, length);
    pen.beginPath();
    pen.moveTo(fromX, fromY);
    pen.lineTo(toX, toY);
    for (const turn of [2.6, -2.6]) {
      pen.moveTo(toX, toY);
      pen.lineTo(toX + head * Math.cos(angle + turn), toY + head * Math.sin(angle + turn));
    }
    pen.stroke();
  }
  function drawMap(verdict) {
    const image = new ImageData(MAP_SIDE, MAP_SIDE);
    verdict.forEach((level, index) => {
      const row = MAP_SIDE - 1 - Math.floor(index / MAP_SIDE); // rows go upwards in Python
      image.data.set([...RAMP[level], 255], 4 * (row * MAP_SIDE + (index % MAP_SIDE)));
    });
    map.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(map, 0, 0, SIZE, SIZE);
  }
  return function paint(view, points, cross) {
    const [made, mesh, arrows] = ["made", "mesh", "arrows"].map((name) => new Float32Array(bytes(view[name])));
    const pair = (array, index) => [array[2 * index], array[2 * index + 1]];
    pen.setTransform(sharpness, 0, 0, sharpness, 0, 0);
    drawMap(new Uint8Array(bytes(view.verdict)));

    [pen.strokeStyle, pen.lineWidth] = [MESH, 0.6];
    for (let line = 0; line < MESH_SIDE; line += 1) {
      const places = [...Array(MESH_SIDE).keys()];
      drawLine(places.map((place) => pair(mesh, line * MESH_SIDE + place)));
      drawLine(places.map((place) => pair(mesh, place * MESH_SIDE + line)));
    }

    pen.fillStyle = REAL;
    for (const [x, y] of points) pen.fillRect(across(x) - 2, down(y) - 2, 4, 4);
    pen.fillStyle = MADE;
    for (let index = 0; index < made.length / 2; index += 1) {
      const [x, y] = pair(made, index);
      pen.beginPath();
      pen.arc(across(x), down(y), 2.8, 0, 2 * Math.PI);
      pen.fill();
    }
    [pen.strokeStyle, pen.lineWidth] = [INK, 1.4];
    for (let index = 0; index < arrows.length / 2; index += 1) drawArrow(...pair(made, index), ...pair(arrows, index));

    pen.fillStyle = "#444";
    pen.font = "11px sans-serif";
    for (const tick of [-2, -1, 0, 1, 2]) {
      const sign = String(tick).replace("-", "−");
      pen.textAlign = tick < 0 ? "left" : tick > 0 ? "right" : "center";
      pen.fillText(sign, Math.min(Math.max(across(tick), 3), SIZE - 3), SIZE - 4);
      if (Math.abs(tick) === 1) pen.fillText(sign, tick < 0 ? 3 : 12, down(tick) + 4);
    }
    if (cross) {
      [pen.strokeStyle, pen.lineWidth] = [INK, 2];
      const [x, y, arm] = [cross[0], cross[1], 0.07];
      drawLine([[x - arm, y], [x + arm, y]]); // prettier-ignore
      drawLine([[x, y - arm], [x, y + arm]]); // prettier-ignore
    }
  };
}

function render({ model, el }) {
  const canvas = make("canvas", PLANE, { className: "course-game-plane", tabIndex: 0 });
  canvas.setAttribute("role", "application");

  // Controls.
  const train = make("button", MAIN, { type: "button", className: "course-game-train" });
  const step = make("button", BUTTON, { type: "button", textContent: "One step" });
  const again = make("button", BUTTON, { type: "button", textContent: "Start again" });
  const clear = make("button", BUTTON, { type: "button", textContent: "Clear the points" });
  const shape = make("select", "font: 14px sans-serif; padding: 0.25em;");
  const choices = [...model.get("shapes"), BY_HAND];
  shape.append(...choices.map((name) => make("option", "", { value: name, textContent: name })));
  shape.lastChild.disabled = true;
  const message = make("div", "min-height: 4.2em;", { className: "course-game-message" });
  message.setAttribute("role", "status");
  const how = "Draw with the mouse. Keys: the arrows move a cross, faster with Shift; the space bar draws there.";
  const side = make(
    "div",
    SIDE,
    {},
    make("div", LINE, {}, train, step, again),
    make("div", LINE, {}, make("label", LINE, {}, "Shape", shape), clear),
    message,
    legend(),
    make("div", NOTE, {}, how),
  );
  const board = make("div", BOARD, { className: "course-game" }, canvas, side);
  board.setAttribute("data-lm-suppress-shortcuts", "true"); // the keys are the board's, not the notebook's
  el.append(board);

  // The picture, once a frame at most.
  const paint = painter(canvas);
  let points = [];
  let cross = null;
  let frame = 0;
  function draw() {
    frame = 0;
    paint(model.get("view"), points, cross);
  }
  function redraw() {
    frame ||= requestAnimationFrame(draw);
  }

  // What Python says.
  function showPoints() {
    points = [...model.get("points")];
    shape.value = model.get("shape") || BY_HAND;
    const place = cross ? ` Cross at ${cross.map((part) => part.toFixed(2)).join(", ")}.` : "";
    const keys = "Draw with the mouse, or move the cross with the arrow keys and draw with the space bar.";
    canvas.setAttribute("aria-label", `The plane, with ${points.length} real points.${place} ${keys}`);
    redraw();
  }
  function showState() {
    const running = model.get("running");
    train.textContent = running ? "Pause" : "Train";
    step.disabled = running;
    step.style.opacity = running ? 0.5 : 1;
    message.setAttribute("aria-live", running ? "off" : "polite"); // a count that runs would never stop being read out
    message.textContent = model.get("message");
    message.style.color = model.get("failed") ? "#B03A00" : "#333";
  }

  // What the reader draws; sent at the end of a stroke.
  let last = null;
  function add(x, y) {
    if (points.length < MOST_POINTS) points.push([within(x + SPREAD * normal()), within(y + SPREAD * normal())]);
  }
  function dab(x, y) {
    for (let count = 0; count < DAB; count += 1) add(x, y);
    redraw();
  }
  function strokeTo(x, y) {
    const [fromX, fromY] = last;
    const far = Math.hypot(x - fromX, y - fromY);
    if (far < SPACING) return;
    const count = Math.floor(far / SPACING);
    for (let index = 1; index <= count; index += 1) {
      last = [fromX + ((x - fromX) * index * SPACING) / far, fromY + ((y - fromY) * index * SPACING) / far];
      add(...last);
    }
    redraw();
  }
  function send() {
    model.set("points", [...points]); // first: a change of the shape shows the points that the model has
    model.set("shape", "");
    model.save_changes();
  }
  function under(event) {
    const page = canvas.getBoundingClientRect();
    const [x, y] = [(event.clientX - page.left) / page.width, (event.clientY - page.top) / page.height];
    return [within((2 * x - 1) * LIMIT), within((1 - 2 * y) * LIMIT)];
  }
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    canvas.focus({ preventScroll: true });
    [last, cross] = [under(event), null];
    dab(...last);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (last && canvas.hasPointerCapture(event.pointerId)) strokeTo(...under(event));
  });
  for (const kind of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(kind, () => {
      if (last) send();
      last = null;
    });
  }
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const move = STEPS[event.key];
    if (move) {
      const far = STEP * (event.shiftKey ? 5 : 1);
      cross = cross ? cross.map((part, axis) => within(part + far * move[axis])) : [0, 0];
      showCross();
    } else if (event.key === " ") {
      cross ??= [0, 0];
      dab(...cross);
      send();
    } else {
      return;
    }
    event.preventDefault();
  });
  function showCross() {
    canvas.setAttribute("aria-label", `Cross at ${cross.map((part) => part.toFixed(2)).join(", ")}.`);
    redraw();
  }

  // The buttons.
  train.addEventListener("click", () => {
    model.set("running", !model.get("running"));
    model.save_changes();
  });
  step.addEventListener("click", () => model.send({ do: "step" }));
  again.addEventListener("click", () => model.send({ do: "again" }));
  clear.addEventListener("click", () => {
    points = [];
    send();
  });
  shape.addEventListener("change", () => {
    model.set("shape", shape.value);
    model.save_changes();
  });
  for (const kind of ["pointerdown", "mousedown", "keydown"]) {
    board.addEventListener(kind, (event) => event.stopPropagation()); // the notebook would select cells with it
  }

  const shows = { points: showPoints, shape: showPoints, view: redraw };
  for (const name of ["running", "message", "failed"]) shows[name] = showState;
  for (const [name, show] of Object.entries(shows)) model.on(`change:${name}`, show);
  showPoints();
  showState();
  return () => {
    cancelAnimationFrame(frame);
    for (const [name, show] of Object.entries(shows)) model.off(`change:${name}`, show);
  };
}

export default { render };
