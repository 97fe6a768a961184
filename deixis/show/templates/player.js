"use strict";
for (const medium of document.querySelectorAll("audio[id], video[id]")) {
  const parts = [...document.querySelectorAll(`[data-of="${medium.id}"]`)].map(
    (part) => ({ part, from: Number(part.dataset.from), to: Number(part.dataset.to) }));
  const head = document.querySelector(`[data-head="${medium.id}"]`);
  let stop = Infinity;
  const show = () => {
    const time = medium.currentTime;
    if (time >= stop) medium.pause();
    if (head) head.style.left = `${100 * time / Number(head.dataset.seconds)}%`;
    for (const { part, from, to } of parts)
      part.classList.toggle("now", !medium.paused && from <= time && time < to);
    if (!medium.paused) requestAnimationFrame(show);
  };
  for (const { part, from, to } of parts)
    part.addEventListener("click", () => {
      medium.currentTime = from;
      stop = to > from ? to : Infinity;
      if (to > from) medium.play(); else medium.pause();
    });
  medium.addEventListener("play", show);
  medium.addEventListener("seeked", show);
  medium.addEventListener("pause", () => { stop = Infinity; show(); });
}
document.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step || !event.target.matches(".word, .line")) return;
  const all = [...event.target.closest(".said").querySelectorAll(".word, .line")];
  all[all.indexOf(event.target) + step]?.focus();
  event.preventDefault();
});
