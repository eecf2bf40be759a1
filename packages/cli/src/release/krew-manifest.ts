/** How krew, kubectl's manager of plugins, finds and checks a release: https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest */

/** One archive of a release. */
export interface ReleaseArchive {
  readonly file: string;
  /** Of its bytes, in hex. */
  readonly sha256: string;
  readonly platforms: readonly Platform[];
}

/** As krew names them, which is as Go does. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

interface Release {
  readonly version: string;
  /** What the archives' names follow. */
  readonly address: string;
  readonly archives: readonly ReleaseArchive[];
}

export function krewManifest({ version, address, archives }: Release) {
  return {
    apiVersion: "krew.googlecontainertools.github.com/v1alpha2",
    kind: "Plugin",
    metadata: { name: "vdb" },
    spec: {
      version: `v${version}`,
      shortDescription: "Virtual PostgreSQL databases by hand",
      description: `Lists, refreshes, rewinds, snapshots and queries virtual PostgreSQL databases
of the Delphix Kubernetes Operator, follows each action to its end, and says
what to do next. It needs a kubeconfig and your rights, nothing else.
`,
      caveats: `On machines other than linux/amd64 it needs Node.js 24 or newer in your PATH.
\`kubectl vdb doctor\` tells what is missing in the cluster.
`,
      platforms: archives.flatMap(({ file, sha256, platforms }) =>
        platforms.map((matchLabels) => ({
          selector: { matchLabels },
          uri: `${address.replace(/\/$/u, "")}/${file}`,
          sha256,
          bin: "kubectl-vdb",
        })),
      ),
    },
  };
}
