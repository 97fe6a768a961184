// What plays sound or a video from one second to another, and lights up what is heard.

export class Player {
  #stop = Infinity;

  /** `shown(time, playing)` is called while it plays, and where it stops. */
  constructor(medium, shown) {
    this.medium = medium;
    const show = () => {
      if (medium.currentTime >= this.#stop) medium.pause();
      shown(medium.currentTime, !medium.paused);
      if (!medium.paused) requestAnimationFrame(show);
    };
    medium.addEventListener("play", show);
    medium.addEventListener("seeked", show);
    medium.addEventListener("loadeddata", show);
    medium.addEventListener("pause", () => {
      this.#stop = Infinity;
      show();
    });
  }

  play(from, to) {
    this.medium.currentTime = from;
    this.#stop = to > from ? to : Infinity;
    if (to > from) this.medium.play().catch(() => {}); // refused without a click, or not loaded
    else this.medium.pause();
  }
}
