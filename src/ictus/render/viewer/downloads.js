// The embedded motion as files: JSON as ictus writes it, and BVH. Both are made here, from what is drawn.

function save(text, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const rounded = (number) => Number(number.toFixed(6));

// Numbers, `width` of them a frame, in groups of `group` -> one line of JSON for each frame.
function jsonFrames(values, width, group) {
  if (!values) return "null";
  const lines = [];
  for (let start = 0; start < values.length; start += width) {
    const row = Array.from(values.subarray(start, start + width), rounded);
    if (group === width) lines.push(JSON.stringify(row));
    else lines.push(JSON.stringify(Array.from({ length: width / group }, (_, k) => row.slice(k * group, (k + 1) * group))));
  }
  return `[\n${lines.join(",\n")}\n]`;
}

function jsonOf(motion) {
  const { joints, size, skeleton, positions, rotations, root } = motion;
  const fields = {
    format: '"ictus-motion"',
    version: "1",
    fps: JSON.stringify(motion.fps),
    skeleton: JSON.stringify(skeleton),
    meta: JSON.stringify(motion.meta),
    positions: jsonFrames(positions, joints * size, size),
    root: jsonFrames(root, 3, 3),
    rotations: jsonFrames(rotations && quaternionsOf(rotations), joints * 4, 4),
  };
  return `{\n${Object.entries(fields).map(([key, value]) => `  "${key}": ${value}`).join(",\n")}\n}\n`;
}

// Matrices -> unit quaternions x, y, z, w: the largest of the four is found first, for it can be divided by.
function quaternionsOf(matrices) {
  const quaternions = new Float64Array((matrices.length / 9) * 4);
  for (let k = 0; k < matrices.length / 9; k++) {
    const m = matrices.subarray(9 * k, 9 * k + 9);
    const squares = [1 + m[0] - m[4] - m[8], 1 - m[0] + m[4] - m[8], 1 - m[0] - m[4] + m[8], 1 + m[0] + m[4] + m[8]];
    const [xy, xz, yz] = [m[1] + m[3], m[2] + m[6], m[5] + m[7]];
    const [xw, yw, zw] = [m[7] - m[5], m[2] - m[6], m[3] - m[1]];
    const largest = squares.indexOf(Math.max(...squares));
    const rows = [[squares[0], xy, xz, xw], [xy, squares[1], yz, yw], [xz, yz, squares[2], zw], [xw, yw, zw, squares[3]]];
    const norm = Math.hypot(...rows[largest]);
    quaternions.set(rows[largest].map((part) => part / norm), 4 * k);
  }
  return quaternions;
}

const CENTIMETRES = 100;
const DEGREES = 180 / Math.PI;

// Root with position and, as each joint, Zrotation Xrotation Yrotation: R = Rz Rx Ry.
function bvhOf(motion) {
  const { skeleton, joints, rotations, root } = motion;
  const { parents, rest } = skeleton;
  const children = parents.map((_, joint) => parents.flatMap((parent, child) => (parent === joint ? [child] : [])));
  const order = [];
  const triple = (vector) => vector.map((x) => x.toFixed(6)).join(" ");
  const tree = (joint, depth) => {
    order.push(joint);
    const [tab, inner] = ["\t".repeat(depth), "\t".repeat(depth + 1)];
    const offset = joint ? times(minus(rest[joint], rest[parents[joint]]), CENTIMETRES) : [0, 0, 0];
    const end = length(offset) ? times(offset, 0.1) : [0, 1, 0];
    return [
      `${tab}${joint ? "JOINT" : "ROOT"} ${skeleton.joints[joint].replace(/[\s{}]+/g, "_")}`,
      `${tab}{`,
      `${inner}OFFSET ${triple(offset)}`,
      `${inner}CHANNELS ${joint ? "3" : "6 Xposition Yposition Zposition"} Zrotation Xrotation Yrotation`,
      ...children[joint].flatMap((child) => tree(child, depth + 1)),
      ...(children[joint].length ? [] : [`${inner}End Site`, `${inner}{`, `${inner}\tOFFSET ${triple(end)}`, `${inner}}`]),
      `${tab}}`,
    ];
  };
  const lines = ["HIERARCHY", ...tree(0, 0), "MOTION", `Frames: ${motion.frames}`, `Frame Time: ${1 / motion.fps}`];
  let before = order.map(() => [0, 0, 0]);
  for (let frame = 0; frame < motion.frames; frame++) {
    const angles = order.map((joint, k) => {
      const at = 9 * (frame * joints + joint);
      return eulerOf(rotations.subarray(at, at + 9)).map((angle, axis) => {
        return angle + 360 * Math.round((before[k][axis] - angle) / 360); // no leaps from 180 to -180
      });
    });
    before = angles;
    const place = Array.from(root.subarray(3 * frame, 3 * frame + 3), (x) => x * CENTIMETRES);
    lines.push([place, ...angles].map(triple).join(" "));
  }
  return `${lines.join("\n")}\n`;
}

// Degrees about z, x and y.
function eulerOf(m) {
  const x = Math.asin(clip(m[7], -1, 1));
  if (Math.abs(m[7]) > 1 - 1e-9) return [Math.atan2(m[3], m[0]) * DEGREES, x * DEGREES, 0];
  return [Math.atan2(-m[1], m[4]) * DEGREES, x * DEGREES, Math.atan2(-m[6], m[8]) * DEGREES];
}
