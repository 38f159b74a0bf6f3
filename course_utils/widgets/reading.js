// The page of reading.py: a text in the colours of its losses, and a chart of what was expected at a chosen place.
//
// From Python, one entry for each character: signs, places (row and column), colours, inks, titles, expected (a list of
// sign, probability and its words) and actual (the index among the expected); then scale and limits of the colours, and
// chosen, the index of the first character that is shown. Nothing goes back to Python: no kernel is needed.

const PAGE =
  "box-sizing: border-box; display: flex; flex-wrap: wrap; gap: 1em 2em; padding: 0.8em 1em; border: 1px solid #bbb; " +
  "border-radius: 4px; background: white; color: black; font: 14px/1.4 sans-serif; color-scheme: light;";
const TEXT =
  "flex: none; max-width: 100%; max-height: 32em; overflow: auto; padding: 3px; cursor: default; user-select: none; " +
  "font: 14px/1.5 monospace; white-space: pre; touch-action: pan-y;";
const LINE = "min-height: 1.5em;";
const CHOSEN = "2px solid black";
const SIDE = "flex: 1 0 15em; max-width: 22em;";
const CHART = "display: grid; grid-template-columns: 1.5em 1fr 4em; align-items: center; gap: 4px 8px;";
const SCALE = "display: flex; align-items: center; gap: 0.6em; margin-top: 1.2em; font-size: 12px;";
const HIDDEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);";
const [ACTUAL, OTHER] = ["#D55E00", "#7F7F7F"];
const [ACTUAL_INK, OTHER_INK] = ["#B03A00", "#444"];

function make(tag, style, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.style.cssText = style;
  element.append(...children);
  return element;
}

function render({ model, el }) {
  const [signs, places] = [model.get("signs"), model.get("places")];
  const [low, high] = model.get("limits");

  // The text, line by line.
  const text = make("div", TEXT, { className: "course-reading-text", tabIndex: 0 });
  text.setAttribute("role", "application");
  text.setAttribute("aria-label", `A text of ${signs.length} characters. The arrow keys choose a character.`);
  text.setAttribute("data-lm-suppress-shortcuts", "true"); // the arrow keys are the text's, not the notebook's
  const lines = [];
  const characters = signs.map((sign, index) => {
    const character = make("span", "", { textContent: sign });
    character.dataset.index = index;
    character.style.background = model.get("colours")[index];
    character.style.color = model.get("inks")[index];
    character.style.outlineOffset = "-1px";
    const row = places[index][0];
    lines[row] ??= text.appendChild(make("div", LINE));
    lines[row].append(character);
    return character;
  });

  // The chart, and what the colours mean.
  const title = make("div", "margin-bottom: 0.6em; font-weight: bold;", { className: "course-reading-title" });
  const chart = make("div", CHART, { className: "course-reading-chart" });
  const spoken = make("div", HIDDEN);
  spoken.setAttribute("role", "status");
  const ramp = `flex: 1; height: 0.9em; background: linear-gradient(to right, ${model.get("scale").join(", ")});`;
  const scale = make("div", SCALE, {}, `${low} nats`, make("div", ramp), `${high} and more`);
  const note = make("div", "margin-top: 0.8em; font-size: 12px;", {}, "Orange: the character that came.");
  const side = make("div", SIDE, {}, title, chart, note, scale, spoken);
  const page = make("div", PAGE, { className: "course-reading" }, text, side);
  el.append(page);

  function bar([sign, share, words], isActual) {
    const style = `color: ${isActual ? ACTUAL_INK : OTHER_INK}; font-weight: ${isActual ? "bold" : "normal"};`;
    const filled = `height: 0.9em; width: ${100 * share}%; background: ${isActual ? ACTUAL : OTHER};`;
    return [
      make("span", `${style} font-family: monospace; text-align: center;`, { textContent: sign }),
      make("div", "", {}, make("div", filled)),
      make("span", style, { textContent: words }),
    ];
  }
  let shown = null;
  function showChosen() {
    const index = model.get("chosen");
    const expected = model.get("expected")[index];
    if (shown) shown.style.outline = "";
    shown = characters[index];
    shown.style.outline = CHOSEN;
    title.textContent = model.get("titles")[index];
    chart.replaceChildren(...expected.flatMap((one, place) => bar(one, place === model.get("actual")[index])));
  }

  // What the reader does; nothing of it reaches the notebook, which would select cells with it.
  function choosePointed(event) {
    const pointed = document.elementFromPoint(event.clientX, event.clientY)?.dataset?.index;
    if (pointed !== undefined && text.contains(event.target)) model.set("chosen", Number(pointed));
  }
  const moves = {
    ArrowLeft: (index) => index - 1,
    ArrowRight: (index) => index + 1,
    ArrowUp: (index) => beside(index, -1),
    ArrowDown: (index) => beside(index, 1),
    Home: () => 0,
    End: () => signs.length - 1,
  };
  function beside(index, step) {
    const [row, column] = places[index];
    const there = lines[row + step]?.children;
    return there ? Number(there[Math.min(column, there.length - 1)].dataset.index) : index;
  }
  text.addEventListener("pointermove", choosePointed);
  text.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    event.stopPropagation();
    text.focus({ preventScroll: true });
    choosePointed(event);
  });
  text.addEventListener("mousedown", (event) => event.stopPropagation());
  text.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    model.set("chosen", Math.min(Math.max(move(model.get("chosen")), 0), signs.length - 1));
    shown.scrollIntoView({ block: "nearest", inline: "nearest" });
    const index = model.get("chosen");
    const best = model.get("expected")[index].slice(0, 3);
    const said = best.map(([sign, , words]) => `${sign} ${words}`).join(", ");
    spoken.textContent = `${model.get("titles")[index]}. Expected: ${said}.`; // read out for the keys alone
  });

  model.on("change:chosen", showChosen);
  showChosen();
  return () => model.off("change:chosen", showChosen);
}

export default { render };
