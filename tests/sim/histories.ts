/** How many histories CI plays. */
export const HISTORIES = 2000;
