// Shrinks a slide that is taller than the page, down to half size; beyond that it scrolls.
(() => {
  const page = 720;
  const fit = (section) => {
    section.style.zoom = 1;
    section.style.maxHeight = "";
    const height = section.scrollHeight;
    if (height <= page) {
      section.style.top = `${(page - height) / 2}px`; // formulas may have grown since reveal.js centred it
      return;
    }
    const zoom = Math.max(0.5, page / height);
    section.style.zoom = zoom;
    section.style.maxHeight = `${page / zoom}px`; // zoom shrinks the limit too
    section.style.top = "0px";
  };
  const fitAll = () => {
    const printing = /print-pdf/.test(window.location.search);
    const chosen = printing ? ".slides section:not(.stack)" : ".slides section.present:not(.stack)";
    document.querySelectorAll(chosen).forEach(fit);
  };
  const watch = () => {
    const slides = document.querySelector(".reveal .slides");
    new MutationObserver(fitAll).observe(slides, { attributes: true, attributeFilter: ["class"], subtree: true });
    if (window.MathJax && window.MathJax.Hub) window.MathJax.Hub.Queue(fitAll);
    fitAll();
  };
  window.addEventListener("load", watch);
})();
