// What the page takes of d3: the types of d3.min.js, and what it is bundled of.
export { max, median } from "d3-array";
export { scaleLinear, scalePoint } from "d3-scale";
export { line } from "d3-shape";
