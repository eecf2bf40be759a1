import { equal, match } from "node:assert/strict";
import { describe, test } from "node:test";
import { secrets } from "kube-runtime";
import { contentId, forever, type Given, stepBench } from "../step-bench.ts";
import { acceptSpec } from "./accept-spec.ts";

interface Row {
  readonly name: string;
  readonly why: string;
  readonly given?: Given;
  /** In the Secret; undefined: there is none. */
  readonly password?: string;
  readonly want: string;
}
const password = "a-good-password";

const rows: readonly Row[] = [
  { name: "a manifest with its Secret", why: "all is there", password, want: "done" },
  {
    name: "a source type that is not served",
    why: "it is said, not ignored",
    given: { spec: { source: { type: "pvc-clone", reference: "other" } } },
    password,
    want: "terminal SourceTypeNotSupported",
  },
  {
    name: "a setting that is the operator's",
    why: "a manifest that sets it would be disobeyed in silence",
    given: { spec: { postgresConfig: [{ name: "data_directory", value: "/elsewhere" }] } },
    password,
    want: "terminal SettingRefused",
  },
  { name: "no Secret", why: "a person makes one; nothing is made before", want: "terminal SecretNotFound" },
  { name: "a password that is too short", why: "nobody is let in with it", password: "short", want: "terminal PasswordTooShort" },
  {
    name: "no Secret any more",
    why: "a database whose password is in force runs on",
    given: { status: { content: { id: contentId, madeBy: "create", openedTime: "2026-01-01T00:00:00Z" } } },
    want: "done",
  },
  {
    name: "a password with a line end",
    why: "it is no part of it",
    password: `${password}\n`,
    want: "done",
  },
];

const encoded = (text: string) => ({ password: Buffer.from(text).toString("base64") });

describe("acceptSpec", () => {
  for (const { name, why, given = {}, password: stored, want } of rows)
    test(name, async () => {
      const { ctx, client, writes } = await stepBench(given);
      if (stored !== undefined) {
        const metadata = { name: "password", namespace: "shop" };
        await client.create(secrets, { metadata, data: encoded(stored) }, forever);
      }
      writes.length = 0;
      const end = await acceptSpec.run(ctx, forever);
      equal([end.kind, ...(end.reason === undefined ? [] : [end.reason])].join(" "), want, why);
      equal(writes.length, 0, "nothing is made before the manifest is accepted");
      const known = end.kind === "done" ? end.found.password : undefined;
      if (want.startsWith("done") && stored !== undefined) equal(known?.kind === "known" && known.value, password);
    });

  test("a Secret is not watched: where it is missing, it is looked for again soon", async () => {
    const { ctx } = await stepBench({
      status: { content: { id: contentId, madeBy: "create", openedTime: "2026-01-01T00:00:00Z" } },
    });
    const end = await acceptSpec.run(ctx, forever);
    equal(end.kind === "done" && end.again !== undefined && "recheckSeconds" in end.again && end.again.recheckSeconds, 5);
    match(end.message ?? "", /the earlier password stays in force/u);
  });

  test("a password that was read a moment ago serves the next run too, not one a second later", async () => {
    const bench = await stepBench({});
    const key = { name: "password", namespace: "shop" };
    await bench.client.create(secrets, { metadata: key, data: encoded(password) }, forever);
    const found = async () => {
      const end = await acceptSpec.run(bench.ctx, forever);
      return end.kind === "done" && end.found.password.kind === "known" ? end.found.password.value : end.kind;
    };
    equal(await found(), password);
    await bench.client.patch(secrets, key, { data: encoded("another-password") }, forever);
    equal(await found(), password);
    await bench.clock.advance(1000);
    equal(await found(), "another-password");
  });
});
