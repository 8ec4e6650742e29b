// What can be pressed in a result. gradio gives: element, trigger, watch.
watch("value", () => {
  const shown = element.querySelector(".fh-result, .fh-message");
  const isBelow = shown && shown.getBoundingClientRect().top > 0.8 * window.innerHeight; // on a phone, after the choices
  if (isBelow) shown.scrollIntoView({ behavior: "smooth", block: "start" });
});
element.addEventListener("click", async (event) => {
  const why = event.target.closest(".fh-why");
  if (why) {
    trigger("why", { face: Number(why.dataset.face || 0), target: why.dataset.target || "" });
    return;
  }
  const link = event.target.closest("a[data-picture]");
  if (!link || link.href.startsWith("blob:")) return;
  event.preventDefault();
  // A long data: address cannot be downloaded everywhere; a blob of the same bytes can.
  const blob = await (await fetch(element.querySelector(".fh-photo").src)).blob();
  link.href = URL.createObjectURL(blob);
  link.click();
  setTimeout(() => { URL.revokeObjectURL(link.href); link.setAttribute("href", "#"); }, 10000);
});
