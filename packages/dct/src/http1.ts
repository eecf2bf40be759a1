/**
 * What the transport uses of undici. It is loaded when DCT is first called: a megabyte that a process which only starts, or only
 * waits to lead, does without. A file of its own, because in a bundle import("undici") has no named exports: it is CommonJS.
 */
export { Agent, buildConnector, request } from "undici";
