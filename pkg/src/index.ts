export { SegueError, type ErrorCode } from "./error.js";
export { Segue } from "./segue.js";
export {
  UNKNOWN_ROW,
  type AlsoFinished,
  type Cluster,
  type Description,
  type Evidence,
  type Kind,
  type LimitOptions,
  type ListenerEvent,
  type Moment,
  type ModelOptions,
  type NearArtist,
  type OpenOptions,
  type RankedTrack,
  type Ranking,
  type RankOptions,
  type Reason,
  type Share,
  type TopOptions,
  type TrackList,
  type WasmSource,
} from "./types.js";
