export const VERSION = "0.1.0";
/** The level of Redis whose commands are answered. */
export const REDIS_VERSION = "7.2.4";
