/** Bun gives the path of an imported file, in a checkout and in the single-file executable alike. */
declare module "*.wasm" {
  const path: string;
  export default path;
}
