/** Who owns a database's files: the user of the official postgres images. The engine's own PostgreSQL programs run as this user, too. */
export const dataOwner = { uid: 999, gid: 999 } as const;
export const dataOwnerSpec = `${dataOwner.uid}:${dataOwner.gid}`;
