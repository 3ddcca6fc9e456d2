// From the page's text back to tracks of numbers; ictus/render/packing.py makes the text.

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

// One track -> Float64Array, frames x channels: gzip, four planes of bytes, counts, differences along time.
async function unpackTrack({ frames, steps, orders, deltas }) {
  const stream = new Blob([bytesOf(deltas)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const count = planes.length / 4;
  const values = new Float64Array(count);
  steps.forEach((step, channel) => {
    const sums = new Float64Array(orders[channel]);
    for (let frame = 0; frame < frames; frame++) {
      const k = channel * frames + frame;
      const folded = planes[k] + 2 ** 8 * planes[count + k] + 2 ** 16 * planes[2 * count + k] + 2 ** 24 * planes[3 * count + k];
      let value = folded % 2 ? -(folded + 1) / 2 : folded / 2;
      for (let order = sums.length - 1; order >= 0; order--) value = sums[order] += value;
      values[frame * steps.length + channel] = value * step;
    }
  });
  return values;
}

// A motion as the page holds it -> { fps, frames, size (2 or 3), joints, positions, rotations, root, more }, where more
// are the tracks of the figure's own points.
async function unpackMotion(entry) {
  const tracks = {};
  for (const [name, track] of Object.entries(entry.tracks)) tracks[name] = await unpackTrack(track);
  const joints = entry.skeleton.joints.length;
  const rotations = tracks.rotations ? matricesOf(tracks.rotations) : null;
  const root = tracks.root ?? null;
  const { frames } = Object.values(entry.tracks)[0];
  const more = {};
  entry.figure.tracks.forEach((name, k, { length: count }) => {
    more[name] = Float64Array.from({ length: frames * 3 }, (_, at) => tracks.figure[3 * (count * Math.floor(at / 3) + k) + (at % 3)]);
  });
  const positions = tracks.positions ?? new Float64Array(frames * joints * 3);
  if (!tracks.positions || Object.keys(entry.figure.axes).length) {
    const pose = posed(entry.skeleton, rotations, root, entry.figure.axes);
    if (!tracks.positions) positions.set(pose.positions);
    Object.assign(more, pose.axes);
  }
  const size = Math.round(positions.length / frames / joints);
  return { ...entry, frames, size, joints, positions, rotations, root, more };
}

// Rotation vectors -> matrices, nine numbers each, row by row (Rodrigues).
function matricesOf(vectors) {
  const matrices = new Float64Array(vectors.length * 3);
  for (let k = 0; k < vectors.length / 3; k++) {
    const [x, y, z] = vectors.subarray(3 * k, 3 * k + 3);
    const angle = Math.hypot(x, y, z);
    const s = angle > 1e-9 ? Math.sin(angle) / angle : 1;
    const c = angle > 1e-9 ? (1 - Math.cos(angle)) / (angle * angle) : 0.5;
    matrices.set([
      1 - c * (y * y + z * z), c * x * y - s * z, c * x * z + s * y,
      c * x * y + s * z, 1 - c * (x * x + z * z), c * y * z - s * x,
      c * x * z - s * y, c * y * z + s * x, 1 - c * (x * x + y * y),
    ], 9 * k);
  }
  return matrices;
}

// Forward kinematics: positions, frames x joints x 3, and the wanted axes of turned joints { name: [joint, column] }.
function posed({ parents, rest }, rotations, root, wanted) {
  const joints = parents.length;
  const frames = root.length / 3;
  const positions = new Float64Array(frames * joints * 3);
  const turned = new Float64Array(joints * 9);
  const axes = Object.fromEntries(Object.keys(wanted).map((name) => [name, new Float64Array(frames * 3)]));
  for (let frame = 0; frame < frames; frame++) {
    for (let joint = 0; joint < joints; joint++) {
      const own = rotations.subarray(9 * (frame * joints + joint), 9 * (frame * joints + joint) + 9);
      const at = 3 * (frame * joints + joint);
      const parent = parents[joint];
      if (parent < 0) {
        turned.set(own, 9 * joint);
        positions.set(root.subarray(3 * frame, 3 * frame + 3), at);
        continue;
      }
      const [x, y, z] = minus(rest[joint], rest[parent]);
      for (let row = 0; row < 3; row++) {
        const [a, b, c] = turned.subarray(9 * parent + 3 * row, 9 * parent + 3 * row + 3);
        positions[at + row] = positions[3 * (frame * joints + parent) + row] + a * x + b * y + c * z;
        for (let column = 0; column < 3; column++) {
          turned[9 * joint + 3 * row + column] = a * own[column] + b * own[3 + column] + c * own[6 + column];
        }
      }
    }
    for (const [name, [joint, column]] of Object.entries(wanted)) {
      axes[name].set([0, 3, 6].map((row) => turned[9 * joint + row + column]), 3 * frame);
    }
  }
  return { positions, axes };
}
