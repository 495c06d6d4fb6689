export { Client, type CallOptions, type ClientOptions, type LiveOptions, type ReadOptions, type StandingsOptions } from "./client.js";
export type { Socket, SocketConstructor } from "./connection.js";
export type { Beat, Delta, Frame, Snapshot } from "./frames.js";
export type { RequestOptions } from "./http.js";
export type { LiveHandlers, LiveState, LiveView } from "./live_view.js";
export { merge } from "./merge.js";
export { Problem, type ProblemBody, type ProblemItem } from "./problem.js";
export * from "./types.js";
