/** Names in the pool. */

/** The stable path of a VDB, which its exported folder is: it leads to the current timeflow. */
export const placeOfVdb = (id: string): string => `vdbs/${id}`;
/** The bytes of one of a VDB's timeflows. */
export const placeOfTimeflow = (id: string): string => `timeflows/${id}`;
export const placeOfSnapshot = (id: string): string => `snapshots/${id}`;
/** What a dSource's standby runs on. */
export const placeOfStandby = (dSourceId: string): string => `standbys/${dSourceId}`;
/** What is being made under this id: whoever made it completes or removes it. */
export const draftOf = (id: string): string => `work/${id}`;
