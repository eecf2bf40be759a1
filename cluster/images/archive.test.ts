import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import { test } from "node:test";
import { imageArchive } from "./archive.ts";

const layer = (character: string): { file: string; digest: string } => ({
  file: `/cache/${character}.tar`,
  digest: character.repeat(64),
});

test("the same content is the same image, whatever the layers' place on disk", () => {
  const one = imageArchive("registry.local/x", undefined, { User: "1" }, [layer("a")]);
  const other = imageArchive("registry.local/x", undefined, { User: "1" }, [{ ...layer("a"), file: "/elsewhere" }]);
  equal(one.id, other.id);
  deepEqual(one.files, other.files);
});

const changes = [
  { what: "a layer", image: imageArchive("r", undefined, { User: "1" }, [layer("b")]) },
  { what: "the order of layers", image: imageArchive("r", undefined, { User: "1" }, [layer("b"), layer("a")]) },
  { what: "the user", image: imageArchive("r", undefined, { User: "2" }, [layer("a"), layer("b")]) },
];
for (const { what, image } of changes) {
  test(`another id where ${what} differs: a tag that stays would leave the old image in use`, () => {
    notEqual(image.id, imageArchive("r", undefined, { User: "1" }, [layer("a"), layer("b")]).id);
  });
}

test("our images are tagged by their id, others keep the tag they are known by", () => {
  match(imageArchive("registry.local/x", undefined, {}, []).reference, /^registry\.local\/x:[0-9a-f]{12}$/u);
  equal(imageArchive("docker.io/library/postgres", "16.2", {}, []).reference, "docker.io/library/postgres:16.2");
});

test("the manifest names files that the archive holds, layers from the lowest up", () => {
  const { files, layers } = imageArchive("r", "1", {}, [layer("a"), layer("b")]);
  const [manifest]: [{ Config: string; Layers: string[]; RepoTags: string[] }] = JSON.parse(files["manifest.json"] ?? "");
  deepEqual(manifest.Layers, [`${"a".repeat(64)}.tar`, `${"b".repeat(64)}.tar`]);
  deepEqual(Object.keys(layers), manifest.Layers);
  equal(typeof files[manifest.Config], "string");
  deepEqual(manifest.RepoTags, ["r:1"]);
});

test("a layer that is used twice is one file of the archive", () => {
  const { layers } = imageArchive("r", "1", {}, [layer("a"), layer("a")]);
  equal(Object.keys(layers).length, 1);
});
