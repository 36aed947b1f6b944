// The sound of a desk bell, made by the browser itself.
const EVERY_MS = 1500;
/** Frequency, loudness and length of each partial: they die away one after the other. */
const PARTIALS = [
  [2093, 0.16, 1.4],
  [4186, 0.07, 0.8],
  [5588, 0.04, 0.5],
  [8372, 0.02, 0.25],
];

export class Bell {
  /** @type {AudioContext | null} */
  #audio = null;
  #last = 0;

  /** Browsers let a page sound only after its person did something there. */
  wake() {
    try {
      this.#audio ??= new AudioContext();
      if (this.#audio.state === "suspended") void this.#audio.resume();
    } catch {
      /* no sound on this machine */
    }
  }

  /** One strike, unless there was one just now. */
  ring() {
    const now = performance.now();
    if (now - this.#last < EVERY_MS || this.#audio?.state !== "running") return;
    this.#last = now;
    strike(this.#audio);
  }

  /** The same, once, when the person switches the sound on. */
  sample() {
    this.wake();
    if (this.#audio) strike(this.#audio);
  }

  close() {
    void this.#audio?.close();
  }
}

/** @param {AudioContext} audio */
function strike(audio) {
  const start = audio.currentTime + 0.01;
  for (const [frequency, loud, lasts] of PARTIALS) {
    const [tone, gain] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = frequency;
    gain.gain.setValueAtTime(0, start);
    gain.gain.linearRampToValueAtTime(loud, start + 0.004);
    gain.gain.exponentialRampToValueAtTime(0.0001, start + lasts);
    tone.connect(gain).connect(audio.destination);
    tone.start(start);
    tone.stop(start + lasts);
  }
}
