// The desk of writing.py: a prompt, two sliders, a length and a button, and below them the text as it is sampled.
//
// From Python: most_k (the largest top_k), opening (the prompt of the text that is shown), written (what was sampled
// after it so far), message and failed. To and fro: prompt, temperature, top_k, length, and writing, which the button
// sets and the end of the text takes back.

const DESK =
  "box-sizing: border-box; max-width: 54em; padding: 0.8em 1em; border: 1px solid #bbb; border-radius: 4px; " +
  "background: white; color: black; font: 14px/1.4 sans-serif; color-scheme: light;";
const LINE = "display: flex; flex-wrap: wrap; align-items: center; gap: 0.5em 1.6em; margin-top: 0.7em;";
const FIELD = "display: inline-flex; align-items: center; gap: 0.5em;";
const PROMPT =
  "display: block; box-sizing: border-box; width: 100%; margin-top: 0.2em; padding: 0.3em 0.5em; resize: vertical; " +
  "border: 1px solid #888; border-radius: 3px; font: 14px/1.4 monospace; background: white; color: #0072B2;";
const READOUT = "min-width: 3.2em; font-variant-numeric: tabular-nums;";
const BUTTON =
  "min-width: 5.5em; padding: 0.35em 1em; border: 1px solid #005a8e; border-radius: 3px; background: #0072B2; " +
  "color: white; font: bold 14px sans-serif; cursor: pointer;";
const PAPER =
  "box-sizing: border-box; height: 18em; min-height: 5em; margin: 0.8em 0 0; padding: 0.5em; overflow: auto; " +
  "resize: vertical; border: 1px solid #bbb; border-radius: 3px; background: white; font: 14px/1.4 monospace; " +
  "white-space: pre-wrap; overflow-wrap: anywhere;";
const NEAR = 30; // pixels from the end of the text: who reads there is taken along

function make(tag, style, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.style.cssText = style;
  element.append(...children);
  return element;
}

function render({ model, el }) {
  const prompt = make("textarea", PROMPT, { className: "course-writing-prompt", rows: 3, spellcheck: false });
  const temperature = make("input", "", { type: "range", min: 0, max: 2, step: 0.05 });
  const topK = make("input", "", { type: "range", min: 1, max: model.get("most_k"), step: 1 });
  const length = make("input", "width: 5em;", { type: "number", min: 1, max: 5000, step: 1 });
  const [temperatureShown, topKShown] = [make("output", READOUT), make("output", READOUT)];
  const button = make("button", BUTTON, { type: "button" });
  const message = make("span", "", { className: "course-writing-message" });
  message.setAttribute("role", "status");
  const opening = make("span", "color: #0072B2;");
  const written = make("span", "color: black;", { className: "course-writing-text" });
  const paper = make("div", PAPER, { className: "course-writing-paper", tabIndex: 0 }, opening, written);
  paper.setAttribute("role", "log");
  paper.setAttribute("aria-live", "off"); // a text that grows by the character would never stop being read out
  paper.setAttribute("aria-label", "The text");
  const desk = make(
    "div",
    DESK,
    { className: "course-writing" },
    make("label", "display: block;", {}, "Prompt", prompt),
    make(
      "div",
      LINE,
      {},
      make("label", FIELD, {}, "Temperature", temperature, temperatureShown),
      make("label", FIELD, {}, "Top-k", topK, topKShown),
      make("label", FIELD, {}, "Length", length),
    ),
    make("div", LINE, {}, button, message),
    paper,
  );
  desk.setAttribute("data-lm-suppress-shortcuts", "true"); // the keys are the desk's, not the notebook's
  el.append(desk);

  // What Python says.
  function showControls() {
    if (prompt.value !== model.get("prompt")) prompt.value = model.get("prompt");
    temperature.value = model.get("temperature");
    temperatureShown.textContent = model.get("temperature").toFixed(2);
    const [k, most] = [model.get("top_k"), model.get("most_k")];
    topK.value = k;
    topKShown.textContent = k < most ? String(k) : `all ${most}`;
    topK.setAttribute("aria-valuetext", topKShown.textContent);
    length.value = model.get("length");
  }
  function showText() {
    const atEnd = paper.scrollHeight - paper.scrollTop - paper.clientHeight < NEAR;
    opening.textContent = model.get("opening");
    written.textContent = model.get("written");
    if (atEnd) paper.scrollTop = paper.scrollHeight;
  }
  function showState() {
    button.textContent = model.get("writing") ? "Stop" : "Write";
    paper.setAttribute("aria-busy", String(model.get("writing")));
    message.textContent = model.get("message");
    message.style.color = model.get("failed") ? "#B03A00" : "#555";
  }

  // What the reader does.
  function press() {
    model.set("writing", !model.get("writing"));
    model.save_changes();
  }
  const whole = (input) => Math.min(Math.max(Math.round(Number(input.value)) || 1, Number(input.min)), input.max);
  prompt.addEventListener("input", () => model.set("prompt", prompt.value)); // sent with the press of the button
  temperature.addEventListener("input", () => model.set("temperature", Number(temperature.value)));
  topK.addEventListener("input", () => model.set("top_k", whole(topK)));
  length.addEventListener("change", () => {
    model.set("length", whole(length));
    showControls(); // also where the number was out of range, and the old one stays
  });
  button.addEventListener("click", press);
  prompt.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    press();
  });
  for (const kind of ["mousedown", "keydown"]) desk.addEventListener(kind, (event) => event.stopPropagation());

  const shows = { opening: showText, written: showText, writing: showState, message: showState, failed: showState };
  for (const name of ["prompt", "temperature", "top_k", "most_k", "length"]) shows[name] = showControls;
  for (const [name, show] of Object.entries(shows)) model.on(`change:${name}`, show);
  for (const show of new Set(Object.values(shows))) show();
  return () => {
    for (const [name, show] of Object.entries(shows)) model.off(`change:${name}`, show);
  };
}

export default { render };
