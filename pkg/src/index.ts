export { SegueError, type ErrorCode } from "./error.js";
export { Segue } from "./segue.js";
export {
  UNKNOWN_ROW,
  type Cluster,
  type Description,
  type Evidence,
  type Kind,
  type ListenerEvent,
  type ModelOptions,
  type OpenOptions,
  type RankedTrack,
  type Ranking,
  type RankOptions,
  type Reason,
  type TopOptions,
  type TrackList,
  type WasmSource,
} from "./types.js";
