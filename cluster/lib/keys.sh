# shellcheck shell=bash
# The cluster's keys and kubeconfigs. Elliptic-curve keys: made in milliseconds, and cheap at every handshake.

make_keys() { # PORT of the API server
  local keys=$state/keys
  (umask 077 && mkdir -p "$keys")
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=cluster $name" \
    -keyout "$keys/ca.key" -out "$keys/ca.crt" 2>/dev/null
  # 127.0.0.1 serves clients on the machine, through the forwarder, as well as those inside.
  local names=DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local
  sign kube-apiserver "/CN=kube-apiserver" "$names,DNS:localhost,IP:127.0.0.1,IP:10.244.0.1,IP:10.96.0.1"
  sign kubelet "/O=system:nodes/CN=system:node:node1" "DNS:node1,IP:127.0.0.1,IP:10.244.0.1"
  sign admin "/O=system:masters/CN=admin"
  sign coredns "/CN=coredns"
  local component
  for component in kube-controller-manager kube-scheduler kube-proxy; do sign $component "/CN=system:$component"; done
  openssl ecparam -name prime256v1 -genkey -noout -out "$keys/service-accounts.key"
  for component in kube-controller-manager kube-scheduler kube-proxy kubelet coredns; do
    write_kubeconfig $component "$1" "$state/config/$component.kubeconfig"
  done
  write_kubeconfig admin "$1" "$state/kubeconfig"
}

sign() { # NAME SUBJECT [ALTERNATIVE NAMES]
  local key=$state/keys/$1
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$2" -keyout "$key.key" -out "$key.csr" 2>/dev/null
  openssl x509 -req -in "$key.csr" -CA "$state/keys/ca.crt" -CAkey "$state/keys/ca.key" -CAcreateserial -days 3650 -out "$key.crt" \
    -extfile <(printf '%s\n' keyUsage=digitalSignature extendedKeyUsage=serverAuth,clientAuth ${3:+"subjectAltName=$3"}) 2>/dev/null
  rm "$key.csr"
}

# One address for all: the API server listens inside on the port that the forwarder has on the machine.
write_kubeconfig() { # CERTIFICATE PORT FILE
  local keys=$state/keys
  (umask 077 && cat >"$3") <<K
apiVersion: v1
kind: Config
current-context: $name
contexts: [{ name: $name, context: { cluster: $name, user: $name } }]
clusters: [{ name: $name, cluster: { server: "https://127.0.0.1:$2", certificate-authority-data: $(base64 -w0 "$keys/ca.crt") } }]
users: [{ name: $name, user: { client-certificate-data: $(base64 -w0 "$keys/$1.crt"), client-key-data: $(base64 -w0 "$keys/$1.key") } }]
K
}
