/** A chart as a PNG file, twice its size on the screen, on the page's own background. */

const STYLED = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-opacity",
  "opacity",
  "font-size",
  "font-family",
  "font-weight",
  "visibility",
];

/** Draw an SVG element and hand it over as a download. */
export async function savePicture(frame, name) {
  const width = frame.clientWidth || Number(frame.getAttribute("width"));
  const height = frame.clientHeight || Number(frame.getAttribute("height"));
  const copy = styledCopy(frame);
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2 * width, 2 * height];
  const paper = canvas.getContext("2d");
  paper.scale(2, 2);
  paper.fillStyle = getComputedStyle(document.body).backgroundColor;
  paper.fillRect(0, 0, width, height);
  paper.drawImage(image, 0, 0, width, height);
  const link = document.createElement("a");
  link.href = canvas.toDataURL("image/png");
  link.download = name;
  link.click();
}

/** The picture stands alone in its file, so what the style sheet says is written into it. */
function styledCopy(frame) {
  const copy = frame.cloneNode(true);
  const originals = frame.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((node, i) => {
    const style = getComputedStyle(originals[i]);
    for (const name of STYLED) node.setAttribute(name, style.getPropertyValue(name));
  });
  return copy;
}
