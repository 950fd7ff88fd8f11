/** A function over a rectangle, as the regions in which it is above a level. */
import { contours } from "d3-contour";

/** Its values at the middles of a grid's cells, the highest row first: Float64Array (columns * rows,). */
export function sampled(f, [x0, x1], [y0, y1], columns, rows) {
  const values = new Float64Array(columns * rows);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const x = x0 + ((x1 - x0) * (column + 0.5)) / columns;
      values[row * columns + column] = f(x, y1 - ((y1 - y0) * (row + 0.5)) / rows);
    }
  }
  return values;
}

/** The outline of the region above each level, as an SVG path for a box {left, top, width, height}. */
export function regions(values, levels, columns, rows, { left, top, width, height }) {
  const place = ([column, row]) => `${(left + (column * width) / columns).toFixed(2)} ${(top + (row * height) / rows).toFixed(2)}`;
  const outline = (ring) => `M${ring.map(place).join("L")}Z`;
  return contours()
    .size([columns, rows])
    .thresholds(levels)(values)
    .map(({ coordinates }) => coordinates.flat().map(outline).join(""));
}
