// Server-sent events out of a stream of bytes (WHATWG HTML, 9.2.6), wherever that is cut.

/** Yield {name, data} of each event: `data` is text. Comments, ids and retries are passed over. */
export async function* eventsOf(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new Parser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return; // an event that was not ended by an empty line is none
      yield* parser.feed(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/** Takes text in pieces of any size; gives the events that are complete. */
export class Parser {
  #rest = "";
  #name = "";
  #data = [];

  *feed(text) {
    this.#rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?=[^])/.exec(this.#rest); // a CR at the end may be half of a CR LF
      if (!end) return;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      if (line) this.#field(line);
      else {
        if (this.#data.length) yield { name: this.#name || "message", data: this.#data.join("\n") };
        this.#name = "";
        this.#data = [];
      }
    }
  }

  #field(line) {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#name = value;
    else if (name === "data") this.#data.push(value);
  }
}
