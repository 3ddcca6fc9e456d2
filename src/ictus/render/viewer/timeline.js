// The whole piece at a glance: the sound's loudness, its bars and beats, and where we are. Dragging seeks.

const SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

function clockText(seconds, tenths = false) {
  const whole = tenths ? Math.floor(seconds * 10) / 10 : Math.floor(seconds);
  const rest = tenths ? (whole % 60).toFixed(1).padStart(4, "0") : String(whole % 60).padStart(2, "0");
  return `${Math.floor(whole / 60)}:${rest}`;
}

// Beats with the bars that they make: { times, positions, numbers (of each beat's bar, from 1), counts (of its beats),
// bars: of downbeats, { time, number, meter where it is another than before } }.
function countBars(beats) {
  if (!beats?.times?.length) return null;
  const positions = beats.times.map((_, k) => beats.positions?.[k] ?? 1);
  let bar = positions[0] === 1 ? 0 : positions.includes(1) ? -1 : 0; // an upbeat stands before bar 1
  const numbers = positions.map((position, k) => (position === 1 || k === 0 ? ++bar : bar));
  const most = new Map();
  numbers.forEach((number, k) => most.set(number, Math.max(most.get(number) ?? 1, positions[k])));
  const usual = median([...most.values()]);
  const counts = numbers.map((number) => Math.max(most.get(number), number === numbers.at(-1) || number < 1 ? usual : 1));
  const meters = beats.meters?.length === beats.times.length ? beats.meters : counts;
  const changing = meters.some((meter) => meter !== meters[0]);
  const firsts = positions.flatMap((position, k) => (position === 1 ? [k] : []));
  const bars = firsts.map((k, n) => {
    const before = n ? meters[firsts[n - 1]] : null;
    return { time: beats.times[k], number: numbers[k], meter: changing && meters[k] !== before ? meters[k] : null };
  });
  return { times: beats.times, positions, numbers, counts, bars };
}

class Timeline {
  constructor(canvas, clock, peaks, beats) {
    Object.assign(this, { canvas, clock, peaks, beats, hover: null, stale: true });
    this.context = canvas.getContext("2d");
    new ResizeObserver(() => this.resize()).observe(canvas);
    const seconds = (event) => {
      const box = canvas.getBoundingClientRect();
      return clip((event.clientX - box.left) / box.width, 0, 1) * clock.duration;
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.held = true;
      clock.seek(seconds(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      this.hover = event.pointerType === "mouse" || this.held ? seconds(event) : null;
      if (this.held) clock.seek(this.hover);
      this.stale = true;
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"]) {
      canvas.addEventListener(name, () => Object.assign(this, { held: false, hover: null, stale: true }));
    }
  }

  resize() {
    const ratio = Math.min(window.devicePixelRatio || 1, 2);
    [this.width, this.height] = [this.canvas.clientWidth, this.canvas.clientHeight];
    this.canvas.width = Math.max(Math.round(this.width * ratio), 1);
    this.canvas.height = Math.max(Math.round(this.height * ratio), 1);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.stale = true;
  }

  x(seconds) {
    return (seconds / this.clock.duration) * this.width;
  }

  draw(seconds, theme) {
    const { context, width, height } = this;
    if (!width) return;
    context.clearRect(0, 0, width, height);
    const [top, bottom] = [18, height - 12];
    this.ruler(theme, top, bottom);
    this.waves(seconds, theme, (top + bottom) / 2, (bottom - top) / 2 - 2);
    if (this.hover !== null) this.mark(this.hover, theme);
    const x = clip(this.x(seconds), 1, width - 1);
    context.fillStyle = ink(theme.text);
    context.fillRect(x - 0.75, top - 4, 1.5, bottom - top + 8);
    context.beginPath();
    context.arc(x, top - 4, 4, 0, 2 * Math.PI);
    context.fill();
    this.stale = false;
  }

  waves(seconds, theme, middle, half) {
    const { context, peaks, width } = this;
    const [step, thick] = [3, 2];
    const now = this.x(seconds);
    for (let x = 0; x + thick <= width; x += step) {
      let loud = 0;
      if (peaks) {
        const from = Math.floor((x / width) * peaks.length);
        const to = Math.max(Math.floor(((x + step) / width) * peaks.length), from + 1);
        for (let k = from; k < to && k < peaks.length; k++) loud = Math.max(loud, peaks[k]);
      }
      const reach = Math.max((loud / 255) ** 0.8 * half, 0.75);
      context.fillStyle = x + thick / 2 <= now ? ink(theme.right, 0.95) : ink(theme.faint, 0.55);
      context.fillRect(x, middle - reach, thick, 2 * reach);
    }
  }

  ruler(theme, top, bottom) {
    const { context, beats, width } = this;
    context.font = `10px ${SANS}`;
    context.textBaseline = "alphabetic";
    context.textAlign = "left";
    const write = (text, x) => {
      context.fillStyle = ink(theme.text, 0.75);
      context.fillText(text, x + 3, 10);
    };
    if (!beats) {
      const apart = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].find((step) => this.x(step) >= 56) ?? 1200;
      for (let time = 0; time < this.clock.duration; time += apart) {
        context.fillStyle = ink(theme.faint, 0.5);
        context.fillRect(this.x(time), 2, 1, 9);
        if (this.x(time) < width - 30) write(clockText(time), this.x(time));
      }
      return;
    }
    const gap = width / Math.max(beats.times.length, 1);
    if (gap >= 3) {
      beats.times.forEach((time, k) => {
        const first = beats.positions[k] === 1;
        context.fillStyle = ink(first ? theme.right : theme.faint, first ? 0.9 : 0.6);
        context.beginPath();
        context.arc(this.x(time), bottom + 7, first ? 2 : Math.min(1.3, gap / 4), 0, 2 * Math.PI);
        context.fill();
      });
    }
    const bar = width / Math.max(beats.bars.length, 1);
    const every = [1, 2, 4, 8, 16, 32, 64, 128].find((step) => bar * step >= 34) ?? 256;
    const changes = beats.bars.filter((one) => one.meter).map((one) => this.x(one.time));
    let free = 0; // where the last metre that is written ends
    for (const { time, number, meter } of beats.bars) {
      const x = this.x(time);
      const words = meter ? `${number} in ${meter}` : String(number);
      const room = context.measureText(words).width + 8;
      const clear = meter ? x >= free : x >= free && !changes.some((one) => one > x && one < x + room);
      const named = clear && (meter !== null || (number - 1) % every === 0);
      if (!named && bar < 5) continue;
      context.fillStyle = ink(theme.faint, named ? 0.5 : 0.16);
      context.fillRect(x, named ? 2 : top, 1, named ? bottom - 2 : bottom - top);
      if (named && x + room < width + 8) {
        write(words, x);
        if (meter) free = x + room;
      }
    }
  }

  mark(seconds, theme) {
    const { context, width, height } = this;
    const x = this.x(seconds);
    context.fillStyle = ink(theme.text, 0.35);
    context.fillRect(x - 0.5, 14, 1, height - 22);
    const text = clockText(seconds, true);
    context.font = `600 11px ${SANS}`;
    const room = context.measureText(text).width + 10;
    const left = clip(x - room / 2, 0, width - room);
    context.fillStyle = ink(theme.text);
    context.beginPath();
    context.roundRect(left, 0, room, 16, 4);
    context.fill();
    context.fillStyle = ink(theme.edge);
    context.fillText(text, left + 5, 12);
  }
}
