import process from "node:process";

/** What stands for production runs it, and so do its databases. `POSTGRES_VERSION=18` runs the same tests on another major version. */
export const postgresVersion: string = process.env["POSTGRES_VERSION"] ?? "16.2";
export const postgresImage: string = `postgres:${postgresVersion}`;
