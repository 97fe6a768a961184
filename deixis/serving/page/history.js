// What was done, one step after the other, so that it can be undone. Extractions are never
// changed in place: each step has its own.

export class History {
  #steps;
  #at = 0;

  constructor(first) {
    this.#steps = [{ extraction: first, said: "", key: null }];
  }

  get now() {
    return this.#steps[this.#at].extraction;
  }

  get changed() {
    return this.#at > 0;
  }

  get canUndo() {
    return this.#at > 0;
  }

  get canRedo() {
    return this.#at + 1 < this.#steps.length;
  }

  /** Do a step. One of the same `key` as the last takes its place: arrow keys are one move. */
  do(extraction, said, key = null) {
    if (extraction === this.now) return;
    const last = this.#steps[this.#at];
    const joins = key !== null && last.key === key && this.#at > 0;
    this.#steps.length = joins ? this.#at : this.#at + 1;
    this.#steps.push({ extraction, said, key });
    this.#at = this.#steps.length - 1;
  }

  /** Let the next step be one of its own, whatever its key. */
  rest() {
    this.#steps[this.#at].key = null;
  }

  /** Take the last step back; returns what it was, or null. */
  undo() {
    if (!this.canUndo) return null;
    this.rest();
    this.#at -= 1;
    return this.#steps[this.#at + 1].said;
  }

  /** Do it again. */
  redo() {
    if (!this.canRedo) return null;
    this.#at += 1;
    return this.#steps[this.#at].said;
  }
}
