// Vectors of three numbers, and colours.

const UP = [0, 1, 0];
const minus = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const times = (a, s) => [a[0] * s, a[1] * s, a[2] * s];
const along = (a, b, s) => [a[0] + b[0] * s, a[1] + b[1] * s, a[2] + b[2] * s]; // a + s b
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const length = (a) => Math.hypot(a[0], a[1], a[2]);
const unit = (a) => times(a, 1 / Math.max(length(a), 1e-9));
const square = (a, b) => unit(along(a, b, -dot(a, b))); // a, but square to the unit vector b
const clip = (x, low, high) => Math.min(Math.max(x, low), high);

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length ? (sorted[half] + sorted[(sorted.length - 1) >> 1]) / 2 : 0;
}

const rgb = (code) => [1, 3, 5].map((k) => parseInt(code.slice(k, k + 2), 16));
const mix = (a, b, share) => a.map((x, k) => x + (b[k] - x) * share);
const ink = (colour, opacity = 1) => `rgba(${colour.map(Math.round).join(",")},${opacity})`;
