/** Entry of the test build: the ABI, and doors to the inner structures that model tests drive. Never shipped. */
export * from "./index";
