/** The picture of LOLWUT: circles of waves around two stones that fell into a pond, at places drawn anew each time. */

const SHADES = " .,:;=+*oO0#";
/** A character is about twice as high as wide. */
const ASPECT = 2;
const WAVE_LENGTH = 7;

export interface PictureSize {
  columns: number;
  rows: number;
}

/** `random` gives numbers from 0 to below 1. O(columns * rows) */
export function drawPicture({ columns, rows }: PictureSize, random: () => number): string {
  const stones = [0, 1].map(() => ({ x: random() * columns, y: random() * rows * ASPECT }));
  const heightAt = (x: number, y: number) =>
    stones.reduce(
      (sum, stone) =>
        sum + Math.cos((Math.hypot(x - stone.x, y - stone.y) * 2 * Math.PI) / WAVE_LENGTH),
      0,
    ) / stones.length;
  let picture = "";
  for (let row = 0; row < rows; row++) {
    let line = "";
    for (let column = 0; column < columns; column++) {
      const height = (heightAt(column, row * ASPECT) + 1) / 2;
      line += SHADES[Math.min(SHADES.length - 1, Math.floor(height * SHADES.length))];
    }
    picture += `${line.trimEnd()}\n`;
  }
  return picture;
}
