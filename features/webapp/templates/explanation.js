// Shows what was asked for, wherever the page is scrolled to. gradio gives: element, watch.
watch("value", () => {
  const shown = element.querySelector(".fh-explanation, .fh-message");
  if (!shown) return;
  shown.scrollIntoView({ behavior: "smooth", block: "nearest" });
  shown.focus({ preventScroll: true });
});
