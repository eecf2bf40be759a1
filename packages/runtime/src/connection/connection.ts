import type { SecureContextOptions } from "node:tls";

/** How to reach one API server as one user. Credentials that change (rotated tokens, certificates) are asked for each time. */
export interface Connection {
  /** `https://10.96.0.1:443`, without a path. */
  readonly server: URL;
  /** A path before `/api`, for servers behind a proxy; empty otherwise. */
  readonly pathPrefix: string;
  /** The namespace of the context or the service account. */
  readonly namespace: string;
  readonly tls: () => Promise<TlsSettings>;
  /** The headers that say who we are. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
}

export interface TlsSettings extends Pick<SecureContextOptions, "ca" | "cert" | "key"> {
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface ConnectionOptions {
  /** A kubeconfig file; left out: the pod's service account, else $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig?: string;
  /** A context of the kubeconfig; its current one unless told. */
  readonly context?: string;
}
