/**
 * The DCT contract as far as this project uses it: types, client, filters, job waiting, name resolution.
 * `openapi.yaml` beside this package describes what the embedded engine serves of it.
 */

// Reaching DCT: from a Secret to a client.
export { type Credentials, DctNotConfigured, decodeCredentials } from "./credentials.ts";
export { createDctConnection, type DctConnection, type DctConnectionOptions } from "./connection.ts";
export { createDctClient, type DctClient, type DctClientOptions, type SearchOptions, type WithSignal } from "./client.ts";
export type { EndedCall } from "./transport.ts";
export { DctError, type DctErrorKind } from "./errors.ts";

// What DCT knows; field names are those of the wire.
export { decodeTag } from "./contract/places.ts";
export type { DatasetGroup, Engine, Environment, EnvironmentUser, Host, Repository, Tag } from "./contract/places.ts";
export type { Bookmark, DSource, Snapshot, Source, Timeflow, Vdb } from "./contract/datasets.ts";
export { type Job, type JobClass, jobClass, unfinishedJobStates } from "./contract/job.ts";
export type {
  BookmarkPoint,
  CreateBookmarkParameters,
  LinkAppDataParameters,
  ProvisionBySnapshotParameters,
  RefreshByTimestampParameters,
  SnapshotPoint,
  TimestampPoint,
} from "./contract/requests.ts";

// Filters of searches.
export { allOf, anyOf, contains, eq, type Filter, isQuotable, not, notEq, oneOf, UnquotableValue } from "./filter.ts";

// From names and ids to objects.
export {
  type Dataset,
  type Resolved,
  resolveDataset,
  resolveEngine,
  resolveEnvironment,
  resolveGroup,
  type UnresolvedReason,
} from "./resolve.ts";
export { findVdb, unfinishedJobOf } from "./find.ts";
export { claimIn, claimTags } from "./claim-tags.ts";

// Waiting.
export { type JobEnd, type WaitForJobOptions, waitForJob } from "./wait-for-job.ts";

// Decoding at a border; the engine decodes what it is sent with the same tools.
export { boolean, type Decoded, DecodeError, type Decoder, exactObject, list, map, number, object, string } from "./decode.ts";
