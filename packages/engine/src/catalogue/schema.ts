/** The catalogue's tables, version by version. A version that was released is never edited: add the next one. */
export const schemaVersions: readonly string[] = [
  `
  CREATE TABLE counter (name TEXT PRIMARY KEY, last INTEGER NOT NULL) STRICT;

  CREATE TABLE dataset_group (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

  CREATE TABLE environment (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, repository_id TEXT NOT NULL, repository_name TEXT NOT NULL
  ) STRICT;

  -- state: linking (no first snapshot yet), linked. A declared one comes from the configuration and outlives failures.
  CREATE TABLE dsource (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, group_id TEXT NOT NULL REFERENCES dataset_group (id),
    declared INTEGER NOT NULL, state TEXT NOT NULL, last_error TEXT, connection TEXT NOT NULL, tags TEXT NOT NULL,
    timeflow_id TEXT NOT NULL, created TEXT NOT NULL, UNIQUE (group_id, name)
  ) STRICT;

  -- state: creating, ready, deleting. The id is an intent: the subvolume of that id is looked for after a crash.
  CREATE TABLE vdb (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, group_id TEXT NOT NULL REFERENCES dataset_group (id),
    environment_id TEXT NOT NULL REFERENCES environment (id), state TEXT NOT NULL, enabled INTEGER NOT NULL,
    snapshot_id TEXT NOT NULL, parent_id TEXT NOT NULL, parent_dsource_id TEXT NOT NULL, parent_timestamp TEXT,
    database_name TEXT NOT NULL, database_version TEXT, owner TEXT NOT NULL, mount_point TEXT,
    source_params TEXT NOT NULL, config_params TEXT NOT NULL, tags TEXT NOT NULL,
    timeflow_id TEXT NOT NULL, created TEXT NOT NULL, UNIQUE (group_id, name)
  ) STRICT;

  -- state: creating, ready, deleting. made_by: link, request, interval or provision.
  CREATE TABLE snapshot (
    id TEXT PRIMARY KEY, dataset_id TEXT NOT NULL, dataset_kind TEXT NOT NULL, state TEXT NOT NULL, made_by TEXT NOT NULL,
    timeflow_id TEXT NOT NULL, timestamp TEXT, location TEXT, consistency TEXT, version TEXT, owner TEXT NOT NULL,
    created TEXT NOT NULL
  ) STRICT;
  CREATE INDEX snapshot_of_dataset ON snapshot (dataset_id);

  -- sequence: the order of arrival. failure: why it is being undone; recorded before the undoing begins.
  CREATE TABLE job (
    sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, status TEXT NOT NULL,
    target_id TEXT NOT NULL, target_name TEXT NOT NULL, parameters TEXT NOT NULL, failure TEXT,
    percent_complete INTEGER NOT NULL, task TEXT, created TEXT NOT NULL, updated TEXT NOT NULL
  ) STRICT;
  CREATE INDEX unfinished_job ON job (sequence) WHERE status IN ('PENDING', 'STARTED');
  `,
  `
  -- One row. number: the first part of every id; an engine from before it was drawn keeps its 1. pool: the uuid of the pool that
  -- the data lies in, NULL until one is mounted.
  CREATE TABLE engine (number INTEGER NOT NULL, pool TEXT) STRICT;
  INSERT INTO engine (number)
    SELECT CASE WHEN EXISTS (SELECT 1 FROM counter) THEN 1 ELSE abs(random() % 2147483646) + 2 END;

  -- Since when a base backup has been reading from its source.
  ALTER TABLE job ADD COLUMN copying_since TEXT;
  `,
  `
  -- The snapshots that an unfinished job needs; see holds.ts.
  CREATE TABLE hold (
    job_id TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE, snapshot_id TEXT NOT NULL, PRIMARY KEY (job_id, snapshot_id)
  ) STRICT;
  CREATE INDEX hold_on_snapshot ON hold (snapshot_id);
  INSERT INTO hold
    SELECT job.id, vdb.snapshot_id FROM job JOIN vdb ON vdb.id = job.target_id
    WHERE job.type = 'DB_PROVISION' AND job.status IN ('PENDING', 'STARTED');
  `,
];
