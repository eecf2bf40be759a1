/** Patterns of Kubernetes names, and the limits that go with them. */
export const dnsLabel = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
export const dnsSubdomain = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
export const labelLength = 63;
export const subdomainLength = 253;

export const dnsLabelWords = "lower-case letters, digits and '-', beginning and ending with a letter or digit";
export const dnsSubdomainWords = "lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit";
