// The pad of plane.py: a picture of a map, and over it a point to drag with mouse, finger, pen or arrow keys.
//
// From Python: picture (PNG), width (pixels on the page), frame (left, top, width and height of the axes, as parts of
// the picture), limits (lowest x, highest x, lowest y, highest y). To and fro: x and y, in the map's coordinates.

const PAD = "position: relative; flex: none; cursor: crosshair; touch-action: none; user-select: none;";
const MAP = "display: block; width: 100%; max-width: none; pointer-events: none;";
const POINT =
  "position: absolute; width: 16px; height: 16px; margin: -10px 0 0 -10px; border: 2px solid white; " +
  "border-radius: 50%; outline: 2px solid black; background: rgba(0, 0, 0, 0.55); pointer-events: none;";
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
const STEP = 0.01; // of the map's width; ten times as far with Shift

function render({ model, el }) {
  const pad = document.createElement("div");
  pad.className = "course-plane";
  pad.tabIndex = 0;
  pad.setAttribute("role", "application");
  pad.setAttribute("data-lm-suppress-shortcuts", "true"); // the arrow keys are the pad's, not the notebook's
  pad.style.cssText = PAD;
  const map = document.createElement("img");
  map.alt = "";
  map.style.cssText = MAP;
  const point = document.createElement("div");
  point.className = "course-plane-point";
  point.style.cssText = POINT;
  pad.append(map, point);
  el.append(pad);

  // The picture.
  function showMap() {
    URL.revokeObjectURL(map.src);
    map.src = URL.createObjectURL(new Blob([model.get("picture")], { type: "image/png" }));
    pad.style.width = `${model.get("width")}px`;
  }

  // From coordinates to the page.
  function showPoint() {
    const [left, top, width, height] = model.get("frame");
    const [lowX, highX, lowY, highY] = model.get("limits");
    const [x, y] = [model.get("x"), model.get("y")];
    point.style.left = `${100 * (left + (width * (x - lowX)) / (highX - lowX))}%`;
    point.style.top = `${100 * (top + (height * (highY - y)) / (highY - lowY))}%`;
    const place = `${x.toFixed(2)}, ${y.toFixed(2)}`;
    pad.setAttribute("aria-label", `Point in the latent plane at ${place}. Drag it, or press the arrow keys.`);
  }

  // From the page to coordinates; sent once a frame at most.
  let frame = 0;
  function moveTo(x, y) {
    const [lowX, highX, lowY, highY] = model.get("limits");
    model.set("x", Math.min(Math.max(x, lowX), highX));
    model.set("y", Math.min(Math.max(y, lowY), highY));
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      model.save_changes();
    });
  }
  function moveToPointer(event) {
    const [left, top, width, height] = model.get("frame");
    const [lowX, highX, lowY, highY] = model.get("limits");
    const page = pad.getBoundingClientRect();
    const across = ((event.clientX - page.left) / page.width - left) / width;
    const down = ((event.clientY - page.top) / page.height - top) / height;
    moveTo(lowX + across * (highX - lowX), highY - down * (highY - lowY));
  }

  // What the reader does; nothing of it reaches the notebook, which would select cells with it.
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    pad.setPointerCapture(event.pointerId);
    pad.focus({ preventScroll: true });
    moveToPointer(event);
  });
  pad.addEventListener("pointermove", (event) => {
    if (pad.hasPointerCapture(event.pointerId)) moveToPointer(event);
  });
  pad.addEventListener("mousedown", (event) => event.stopPropagation());
  pad.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const [lowX, highX, lowY, highY] = model.get("limits");
    const far = STEP * (event.shiftKey ? 10 : 1);
    moveTo(model.get("x") + far * step[0] * (highX - lowX), model.get("y") + far * step[1] * (highY - lowY));
  });

  const shows = { picture: showMap, width: showMap, x: showPoint, y: showPoint, frame: showPoint, limits: showPoint };
  for (const [name, show] of Object.entries(shows)) model.on(`change:${name}`, show);
  showMap();
  showPoint();
  return () => {
    cancelAnimationFrame(frame);
    for (const [name, show] of Object.entries(shows)) model.off(`change:${name}`, show);
    URL.revokeObjectURL(map.src);
  };
}

export default { render };
