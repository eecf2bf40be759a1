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
  `
  -- A line of a dataset's data. A VDB's bytes lie under its current timeflow's id; what they began with (snapshot_id, parent_*)
  -- belongs to the timeflow, not to the VDB. creation_type: INITIAL, REFRESH, ROLLBACK. state: creating, ready, deleting.
  CREATE TABLE timeflow (
    id TEXT PRIMARY KEY, dataset_id TEXT NOT NULL, creation_type TEXT NOT NULL, snapshot_id TEXT, parent_timeflow_id TEXT,
    parent_timestamp TEXT, parent_location TEXT, version TEXT, state TEXT NOT NULL, created TEXT NOT NULL
  ) STRICT;
  CREATE INDEX timeflow_of_dataset ON timeflow (dataset_id);
  INSERT INTO timeflow
    SELECT vdb.timeflow_id, vdb.id, 'INITIAL', vdb.snapshot_id, snapshot.timeflow_id, vdb.parent_timestamp, snapshot.location,
      vdb.database_version, vdb.state, vdb.created
    FROM vdb LEFT JOIN snapshot ON snapshot.id = vdb.snapshot_id;
  INSERT INTO timeflow (id, dataset_id, creation_type, state, created)
    SELECT timeflow_id, id, 'INITIAL', 'ready', created FROM dsource;
  ALTER TABLE vdb DROP COLUMN snapshot_id;
  ALTER TABLE vdb DROP COLUMN parent_timestamp;
  ALTER TABLE vdb DROP COLUMN database_version;
  -- What undo_refresh goes back to; NULL: there is nothing to undo.
  ALTER TABLE vdb ADD COLUMN previous_timeflow_id TEXT;
  ALTER TABLE vdb ADD COLUMN last_refreshed TEXT;

  -- Jobs hold timeflows, too.
  ALTER TABLE hold RENAME COLUMN snapshot_id TO object_id;

  -- A name for one snapshot of each of its datasets.
  CREATE TABLE bookmark (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, bookmark_type TEXT NOT NULL, state TEXT NOT NULL, tags TEXT NOT NULL, created TEXT NOT NULL
  ) STRICT;
  CREATE TABLE bookmark_snapshot (
    bookmark_id TEXT NOT NULL REFERENCES bookmark (id) ON DELETE CASCADE, snapshot_id TEXT NOT NULL,
    PRIMARY KEY (bookmark_id, snapshot_id)
  ) STRICT;
  CREATE INDEX bookmark_on_snapshot ON bookmark_snapshot (snapshot_id);
  `,
  `
  -- What people keep beside an object.
  ALTER TABLE engine ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE environment ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE snapshot ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE timeflow ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE job ADD COLUMN tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE dsource ADD COLUMN source_tags TEXT NOT NULL DEFAULT '[]';
  ALTER TABLE vdb ADD COLUMN description TEXT;

  -- The account that has locked a VDB; NULL: nobody.
  ALTER TABLE vdb ADD COLUMN locked_by INTEGER;

  -- The last day on which it has to be there, and whether it is kept until somebody deletes it.
  ALTER TABLE snapshot ADD COLUMN expiration TEXT;
  ALTER TABLE snapshot ADD COLUMN retain_forever INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE bookmark ADD COLUMN expiration TEXT;
  ALTER TABLE bookmark ADD COLUMN retain_forever INTEGER NOT NULL DEFAULT 0;

  -- Somebody does not want an unfinished job any more: it is undone, and ends in status ABANDONED.
  ALTER TABLE job ADD COLUMN abandoned INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Who may call the API. hash: SHA-256 of the key, in hex; the key itself stands nowhere.
  CREATE TABLE api_key (name TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, created TEXT NOT NULL, last_used TEXT) STRICT;
  `,
];
