// The time that all is drawn for: the sound's own, or where there is none, the wall's.

class Clock {
  constructor(duration, audio) {
    this.duration = duration;
    this.audio = audio;
    this.rate = 1;
    this.playing = false;
    this.anchor = { media: 0, wall: 0 };
    this.reported = -1; // what the audio element said last
    audio?.addEventListener("ended", () => this.halt(this.duration));
    audio?.addEventListener("pause", () => this.rest());
    audio?.addEventListener("error", () => this.mute());
  }

  // Goes on without sound.
  mute() {
    const now = this.now();
    this.audio = null;
    this.set(now);
    this.onmute?.();
  }

  now() {
    if (!this.playing) return this.anchor.media;
    const wall = performance.now() / 1000;
    let media = this.anchor.media + (wall - this.anchor.wall) * this.rate;
    if (this.audio) {
      // Browsers tell the time of the sound in steps of up to 40 ms; between these the wall clock goes on.
      const reported = this.audio.currentTime;
      if (reported !== this.reported) {
        const off = reported - media;
        media += Math.abs(off) > 0.06 ? off : 0.2 * off;
        this.reported = reported;
        this.anchor = { media, wall };
      } else if (wall - this.anchor.wall > 0.15) {
        media = reported; // it waits for data
      }
    } else if (media >= this.duration) {
      this.halt(this.duration);
    }
    return clip(media, 0, this.duration);
  }

  async play() {
    if (this.now() >= this.duration - 0.01) this.seek(0);
    if (this.audio) {
      this.audio.playbackRate = this.rate;
      try {
        await this.audio.play();
      } catch (error) {
        if (error.name !== "NotAllowedError" && error.name !== "AbortError") this.mute();
        else return;
      }
    }
    this.set(this.audio ? this.audio.currentTime : this.anchor.media);
    this.playing = true;
  }

  pause() {
    const now = this.now();
    this.audio?.pause(); // before its time is read: until then it goes on
    this.halt(this.audio ? this.audio.currentTime : now);
  }

  // The sound has come to rest, as asked or by the system (a call, a key); only now is its last time known.
  rest() {
    if (this.audio?.paused && !this.audio.ended && !this.audio.seeking) this.halt(this.audio.currentTime);
  }

  halt(media) {
    this.playing = false;
    this.set(media);
  }

  seek(seconds) {
    const media = clip(seconds, 0, this.duration);
    if (this.audio) this.audio.currentTime = Math.min(media, Math.max((this.audio.duration || this.duration) - 1e-3, 0));
    this.set(media);
  }

  speed(rate) {
    this.set(this.now());
    this.rate = rate;
    if (this.audio) this.audio.playbackRate = rate;
  }

  set(media) {
    this.anchor = { media, wall: performance.now() / 1000 };
    this.reported = this.audio ? this.audio.currentTime : -1;
  }
}
