import { expect, test } from "bun:test";
import { drawPicture } from "../../../server/observability/picture.ts";

test("a picture has the rows and at most the columns asked for, and is another with other numbers", () => {
  const draw = (number: number) => drawPicture({ columns: 30, rows: 8 }, () => number);
  const lines = draw(0.3).split("\n");
  expect(lines).toHaveLength(9);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(30);
  expect(draw(0.3)).toBe(draw(0.3));
  expect(draw(0.3)).not.toBe(draw(0.7));
});
