// Vectors of three numbers, and colours.

const UP = [0, 1, 0];
const plus = (a, b) => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const times = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
const along = (a, b, s) => [a[0] + b[0] * s, a[1] + b[1] * s, a[2] + b[2] * s]; // a + s b
const between = (a, b, share) => along(times(a, 1 - share), b, share);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const length = (a) => Math.hypot(a[0], a[1], a[2]);
const unit = (a) => times(a, 1 / Math.max(length(a), 1e-9));
const square = (a, b) => unit(along(a, b, -dot(a, b))); // a, but square to the unit vector b
const clip = (x, low, high) => Math.min(Math.max(x, low), high);

// A function of one name that makes each value once.
function remembered(make, known = new Map()) {
  return (name) => {
    if (!known.has(name)) known.set(name, make(name));
    return known.get(name);
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length ? (sorted[half] + sorted[(sorted.length - 1) >> 1]) / 2 : 0;
}

// The mean over about `frames` frames of a track with `width` numbers a frame; its ends stay steady.
function smoothed(track, width, frames) {
  const count = track.length / width;
  const reach = Math.min(Math.round(frames / 2), count - 1);
  if (reach < 1) return track;
  let result = track;
  for (let pass = 0; pass < 2; pass++) {
    const source = result;
    result = new Float64Array(track.length);
    for (let k = 0; k < width; k++) {
      const value = (frame) => source[clip(frame, 0, count - 1) * width + k];
      let sum = 0;
      for (let frame = -reach; frame <= reach; frame++) sum += value(frame);
      for (let frame = 0; frame < count; frame++) {
        result[frame * width + k] = sum / (2 * reach + 1);
        sum += value(frame + reach + 1) - value(frame - reach);
      }
    }
  }
  return result;
}

const rgb = (code) => [1, 3, 5].map((k) => parseInt(code.slice(k, k + 2), 16));
const mix = (a, b, share) => a.map((x, k) => x + (b[k] - x) * share);
const ink = (colour, opacity = 1) => `rgba(${colour.map(Math.round).join(",")},${opacity})`;
